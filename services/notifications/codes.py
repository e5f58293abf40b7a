"""Sign-in codes: sent while the caller waits, for nobody keeps the number to send it to later."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from eventlet.timeout import Timeout

from services.notifications.errors import CodeNotSent, CodeRefused
from services.notifications.news import Channel
from services.notifications.outcome import KINDS, Kind, Reason, Result
from services.notifications.providers import Message, Provider
from services.notifications.spans import outgoing, tell
from services.notifications.texts import Texts

PURPOSE = "sign_in_code"


def write(texts: Texts, command: Mapping[str, Any], request_id: str) -> Message:
    """The message with the code, under a key of its own.

    A call that the bus delivers twice brings the same code and is sent once; another code is
    another message, even when somebody asks for it with the same request.
    """
    text = texts.sms(PURPOSE, command["locale"], {"code": command["code"]})["text"]
    said = f"{request_id}:{command['phone']}:{command['code']}"
    return Message(key=sha256(said.encode()).hexdigest(), to=command["phone"], text=text)


def send(provider: Provider, message: Message, timeout: float) -> Result:
    """Try once, for at most `timeout` seconds in all."""
    with outgoing(Channel.SMS) as span:
        result = _try(provider, message, timeout)
        tell(span, result.reason, result.status)
    return result


def _try(provider: Provider, message: Message, timeout: float) -> Result:
    with Timeout(timeout) as limit:
        try:
            return provider.send(message, timeout)
        except Timeout as expired:
            if expired is not limit:
                raise
            return Result(Reason.PROVIDER_TIMEOUT, seconds=timeout)


def require_sent(result: Result) -> None:
    """Raises CodeNotSent when trying again may help, CodeRefused when it will not."""
    if KINDS[result.reason] is Kind.DONE:
        return
    if KINDS[result.reason] is Kind.PERMANENT:
        raise CodeRefused
    raise CodeNotSent(reason=result.reason, retry_after=5)
