"""One attempt on its way, in stages with a type each: Claimed → Outgoing → Result.

Here is all the network and no transaction. A format says what is sent; claiming and recording are
in `claims`, what a result means in `outcome` and `health`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

import requests
from eventlet.timeout import Timeout
from urllib3.exceptions import HTTPError

from chassis.events import CONTENT_TYPE
from services.notifications.webhooks import guard, sayings, signing
from services.notifications.webhooks.addresses import Networks, UrlRefused, check_url
from services.notifications.webhooks.outcome import (
    LONGEST_RETRY_AFTER,
    Reason,
    Result,
    reason_for,
)
from services.notifications.webhooks.robots import (
    HIDDEN,
    NO_ROBOT,
    STANDARD,
    VENDORS,
    Robot,
    Vendor,
)

RESPONSE_CAP = 16 * 1024
# Of what was read, what is kept: an error message, not a page.
_KEPT, _HEADERS, _HEADER = 2048, 30, 300
_FORGOTTEN = frozenset({"set-cookie"})


@dataclass(frozen=True)
class Claimed:
    """A delivery that this sender has for the length of its lease; `claim` proves that it has.
    `probing`: it tries an endpoint whose breaker is open. `url` is what may be shown: that of a
    `robot` is whole only there. `departments`: what they are called, for a robot to say.
    """

    id: UUID
    claim: int
    endpoint: UUID
    probing: bool
    failures: int
    event: UUID
    url: str
    body: str
    secrets: tuple[str, ...] = field(repr=False)
    format: str = STANDARD
    robot: Robot = NO_ROBOT
    departments: Mapping[str, str] = field(default_factory=dict, repr=False)
    traceparent: str | None = None


@dataclass(frozen=True)
class Outgoing:
    """A request, ready to go. That to a robot knows whose it is, so that the answer is understood,
    and what of its URL must not be kept should the answer repeat it.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    method: str = "POST"
    vendor: Vendor | None = None
    secret: str | None = field(default=None, repr=False)

    def shown(self) -> dict[str, Any]:
        """What may be kept of it: no signature."""
        hidden = {"webhook-signature": "…"}
        return {"method": self.method, "headers": {**self.headers, **_of(hidden, self.headers)}}

    def without_secret(self, text: str) -> str:
        """What came back, as far as it may be kept."""
        return text.replace(self.secret, HIDDEN) if self.secret else text


def standard(claimed: Claimed, at: datetime) -> Outgoing:
    """After Standard Webhooks: the event as it was on the bus, signed."""
    signed = signing.headers(str(claimed.event), at, claimed.body, claimed.secrets)
    return Outgoing(claimed.url, {"content-type": CONTENT_TYPE, **signed}, claimed.body.encode())


def robot(claimed: Claimed, at: datetime) -> Outgoing:
    """As the robot's vendor documents it: the event in words."""
    vendor = VENDORS[claimed.format]
    message = vendor.message(claimed.robot, sayings.say(claimed.body, claimed.departments), at)
    headers = {"content-type": "application/json; charset=utf-8"}
    secret = vendor.key(claimed.robot.url)
    return Outgoing(message.url, headers, message.body, vendor=vendor, secret=secret)


FORMATS: Mapping[str, Callable[[Claimed, datetime], Outgoing]] = {
    STANDARD: standard,
    **dict.fromkeys(VENDORS, robot),
}


# What an error says of the receiver: the first that fits, for some are kinds of others.
_MEANINGS: Mapping[type[Exception], Reason] = {
    UrlRefused: Reason.ADDRESS_REFUSED,
    guard.AddressRefused: Reason.ADDRESS_REFUSED,
    guard.NameNotFound: Reason.DNS_LOOKUP_FAILED,
    requests.exceptions.SSLError: Reason.TLS_FAILED,
    requests.Timeout: Reason.TIMEOUT,
    requests.ConnectionError: Reason.UNREACHABLE,
    requests.RequestException: Reason.PROTOCOL_ERROR,
    UnicodeError: Reason.PROTOCOL_ERROR,
}


class Carrier:
    """Carries requests out, each for at most `timeout` seconds however its answer drips."""

    def __init__(self, networks: Networks, ca_file: str | None, timeout: float) -> None:
        self._networks = networks
        self._timeout = timeout
        self._session = guard.session(networks, ca_file)

    def send(self, outgoing: Outgoing) -> Result:
        """Hand it over and say how it went; never raises for the receiver's faults."""
        started = time.monotonic()
        seen: dict[str, Any] = {}
        with Timeout(self._timeout) as limit:
            try:
                reason = self._try(outgoing, seen)
            except Timeout as timeout:
                if timeout is not limit:
                    raise
                reason = Reason.TIMEOUT
        seconds = time.monotonic() - started
        return Result(reason, seconds=seconds, request=outgoing.shown(), **seen)

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def _try(self, outgoing: Outgoing, seen: dict[str, Any]) -> Reason:
        try:
            check_url(outgoing.url, self._networks)
            with self._request(outgoing) as response:
                seen |= _head(response, outgoing)
                text = _text(response)
                seen["excerpt"] = outgoing.without_secret(text)[:_KEPT]
                return _meaning(response.status_code, text, outgoing.vendor, seen)
        except tuple(_MEANINGS) as error:
            return next(_MEANINGS[kind] for kind in _MEANINGS if isinstance(error, kind))

    def _request(self, outgoing: Outgoing) -> requests.Response:
        return self._session.request(
            outgoing.method,
            outgoing.url,
            data=outgoing.body,
            headers=dict(outgoing.headers),
            timeout=self._timeout,
            allow_redirects=False,
            stream=True,
        )


def _meaning(status: int, text: str, vendor: Vendor | None, seen: dict[str, Any]) -> Reason:
    """Why the attempt ended so; a robot's vendor says in the body what others say by the status."""
    reason = reason_for(status)
    if vendor is None:
        return reason
    if reason is Reason.DELIVERED:
        reason = vendor.understand(text)
    if reason is Reason.THROTTLED:
        seen["retry_after"] = seen["retry_after"] or vendor.pause
    return reason


def _head(response: requests.Response, outgoing: Outgoing) -> dict[str, Any]:
    """Status and headers of an answer, and what they ask for."""
    kept = [item for item in response.headers.items() if item[0].lower() not in _FORGOTTEN]
    # Those that answer a handshake come first: they count, however many stand before them.
    kept.sort(key=lambda item: not item[0].lower().startswith("webhook-"))
    status = response.status_code
    asked = response.headers.get("Retry-After") if status in (429, 503) else None
    return {
        "status": status,
        "response": {
            name[:100]: _storable(outgoing.without_secret(value)[:_HEADER])
            for name, value in kept[:_HEADERS]
        },
        "retry_after": retry_after(asked),
    }


def _text(response: requests.Response) -> str:
    """The beginning of the body: no more is read than RESPONSE_CAP, and none of it unpacked."""
    body = b""
    try:
        # read1 gives what has come, so that what drips is at least seen.
        while len(body) < RESPONSE_CAP and (
            chunk := response.raw.read1(RESPONSE_CAP - len(body), decode_content=False)
        ):
            body += chunk
    except (HTTPError, OSError):
        # The head has said what became of it.
        pass
    return _storable(body.decode("utf-8", "replace"))


def retry_after(header: str | None) -> float | None:
    """Seconds, from either form of the header (RFC 9110, 10.2.3), at most a day; None when it says
    nothing.
    """
    if not header:
        return None
    try:
        seconds = float(header) if header.isdecimal() else _until(parsedate_to_datetime(header))
    except (ValueError, OverflowError):
        return None
    return min(seconds, LONGEST_RETRY_AFTER) if seconds > 0 else None


def _until(moment: datetime) -> float:
    # The real time, not the shiftable clock: the other side's date knows nothing of our drills.
    return moment.timestamp() - time.time()


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd")


def _of(values: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name in names}
