"""How a message leaves the house: what a provider is, and one for SMS that speaks HTTP."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from json import loads
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from services.notifications.outcome import Reason, Result

# More than any provider's answer that is meant well; the rest is left unread.
RESPONSE_CAP = 16 * 1024
# A provider that asks for more patience than this gets our own schedule.
LONGEST_RETRY_AFTER = 3600.0


@dataclass(frozen=True)
class Message:
    """One message, ready to go; `key` makes a repeated sending recognisable."""

    key: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    # What mail has besides.
    subject: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    language: str = ""


class Provider(Protocol):
    """Sends messages."""

    def send(self, message: Message, timeout: float | None = None) -> Result:
        """Hand the message over and say how it went; never raises for the provider's faults.

        `timeout` in seconds, the provider's own when None.
        """


class HttpSms:
    """A provider that takes `{"to", "text"}` as JSON by POST, with a bearer token.

    Its `Idempotency-Key` is the same for every try at one delivery: a provider that honours it
    sends one message even when we died before noting that it was sent.
    """

    def __init__(self, url: str, token: str, timeout: float, connections: int = 16) -> None:
        self._url = url
        self._token = token
        self._timeout = timeout
        self._session = requests.Session()
        # Neither a proxy nor a password file of the machine has a say in where messages go.
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=connections))

    def send(self, message: Message, timeout: float | None = None) -> Result:
        """See Provider."""
        started = time.monotonic()
        try:
            with self._post(message, timeout or self._timeout) as response:
                return self._result(response, started)
        except requests.Timeout:
            return Result(Reason.PROVIDER_TIMEOUT, seconds=_since(started))
        except requests.ConnectionError:
            return Result(Reason.PROVIDER_UNREACHABLE, seconds=_since(started))
        except requests.RequestException:
            return Result(Reason.PROVIDER_ERROR, seconds=_since(started))

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def _post(self, message: Message, timeout: float) -> requests.Response:
        return self._session.post(
            self._url,
            json={"to": message.to, "text": message.text},
            headers={
                "Authorization": f"Bearer {self._token}",
                "Idempotency-Key": message.key,
                "Accept": "application/json",
            },
            timeout=timeout,
            # The phone number goes where the settings say and nowhere else.
            allow_redirects=False,
            stream=True,
        )

    def _result(self, response: requests.Response, started: float) -> Result:
        reason = reason_for(response.status_code)
        reference = None
        if reason is Reason.DELIVERED:
            reference = _reference(response, started + self._timeout)
        return Result(
            reason,
            status=response.status_code,
            seconds=_since(started),
            retry_after=_retry_after(response.headers.get("Retry-After")),
            reference=reference,
        )


def reason_for(status: int) -> Reason:
    """What a provider's HTTP status means for the message."""
    if 200 <= status < 300:
        return Reason.DELIVERED
    if status in (401, 403):
        return Reason.PROVIDER_UNAUTHORIZED
    if status in (408, 409, 425, 429, 503):
        return Reason.PROVIDER_BUSY
    return Reason.PROVIDER_REFUSED if 400 <= status < 500 else Reason.PROVIDER_ERROR


def _reference(response: requests.Response, deadline: float) -> str | None:
    """The provider's id of the message, when it gives one; the message is sent either way."""
    try:
        reference = _json(response, deadline).get("id")
    except (ValueError, HTTPError, OSError, AttributeError):
        return None
    return str(reference)[:100] if reference is not None else None


def _json(response: requests.Response, deadline: float) -> Any:
    """The body as JSON, read only until `deadline` (monotonic) and RESPONSE_CAP."""
    body = b""
    # read1 gives what has come, so that a body that drips cannot hold us past the deadline.
    while chunk := response.raw.read1(4096, decode_content=True):
        body += chunk
        if len(body) > RESPONSE_CAP or time.monotonic() > deadline:
            raise ValueError("the answer is too long")
    return loads(body)


def _retry_after(header: str | None) -> float | None:
    """Seconds, from either form of the header (RFC 9110, 10.2.3); None when it says nothing."""
    if not header:
        return None
    try:
        seconds = float(header) if header.isdigit() else _until(parsedate_to_datetime(header))
    except ValueError:
        return None
    return seconds if 0 < seconds <= LONGEST_RETRY_AFTER else None


def _until(moment: datetime) -> float:
    # The real time, not the shiftable clock: the other side's date knows nothing of our drills.
    return moment.timestamp() - time.time()


def _since(started: float) -> float:
    return time.monotonic() - started
