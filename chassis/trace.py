"""W3C Trace Context (https://www.w3.org/TR/trace-context/), and the spans that are told of it.

Off unless `begin` is told to record: then a span passes on the traceparent that it was given, and
nothing of OpenTelemetry is imported. Attributes are ids, codes and names of ours, never what people
wrote or who they are.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, Self, TypeGuard

from chassis.errors import fault
from chassis.settings import ServiceSettings

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

CLIENT, SERVER, INTERNAL = "CLIENT", "SERVER", "INTERNAL"
PRODUCER, CONSUMER = "PRODUCER", "CONSUMER"
"""What a span is, as OpenTelemetry names it."""

Attributes = Mapping[str, str | int]


def start() -> str:
    """The traceparent of a new trace that nobody records."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"


def valid(traceparent: object) -> TypeGuard[str]:
    """Whether it is the text of a version-00 traceparent."""
    return isinstance(traceparent, str) and bool(_FORM.fullmatch(traceparent))


def continued(traceparent: str | None) -> str:
    """The same, if it is valid; else that of a new trace."""
    return traceparent if valid(traceparent) else start()


def id_of(traceparent: str) -> str | None:
    """The id of the trace, for a log line."""
    return traceparent[3:35] or None


class Span:
    """Some work, from its beginning until `end`, which leaving it as a context manager is. This one
    nobody records.
    """

    __slots__ = ("_traceparent",)

    def __init__(self, traceparent: str = "") -> None:
        self._traceparent = traceparent

    @property
    def traceparent(self) -> str:
        """What names this span to whatever it causes."""
        return self._traceparent or start()

    def tell(self, attributes: Attributes) -> None:
        """Add what was not known at its beginning."""

    def fail(self, reason: str) -> None:
        """Mark it as failed, with the name of an error and not with its words."""

    def end(self) -> None:
        """It is over. To be called once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and (reason := fault(error)):
            self.fail(reason)
        self.end()


NOBODYS = Span()
"""A span that nobody records, of no trace."""


class Recorder(Protocol):
    """Whoever makes spans that are recorded."""

    def span(self, name: str, kind: str, parent: str, attributes: Attributes) -> Span:
        """See the function of this name."""

    def close(self, seconds: float) -> None:
        """Hand over what there is, within so many seconds."""


_recorder: Recorder | None = None
# Not OpenTelemetry's own context: greenthreads begin with an empty one, so that what makes others
# work passes on a text anyway.
_here: ContextVar[str] = ContextVar("traceparent", default="")


def begin(process: str, settings: ServiceSettings) -> None:
    """Record from now on, in the name of this process, if the settings say so."""
    global _recorder  # noqa: PLW0603 - a process begins once
    if settings.otlp_endpoint:
        from chassis.trace_export import OpenTelemetry

        _recorder = OpenTelemetry(process)


def end(seconds: float = 0.4) -> None:
    """Hand over the last spans. What is not gone in time is lost, for the process has to end."""
    if _recorder is not None:
        _recorder.close(seconds)


def on() -> bool:
    """Whether spans are recorded."""
    return _recorder is not None


def span(name: str, kind: str, parent: str | None, attributes: Attributes | None = None) -> Span:
    """A span that begins now, under the one that `parent` (a traceparent) names; without a valid
    one it is the root of a new trace.
    """
    if _recorder is None:
        return Span(parent or "")
    return _recorder.span(name, kind, parent if valid(parent) else "", attributes or {})


def inner(name: str, kind: str, attributes: Attributes | None = None) -> Span:
    """A span under the one that this greenthread is in; none outside of any."""
    if _recorder is None or not (parent := _here.get()):
        return NOBODYS
    return _recorder.span(name, kind, parent, attributes or {})


@contextmanager
def within(traceparent: str) -> Iterator[None]:
    """Have what this greenthread does belong to the span that `traceparent` names."""
    token = _here.set(traceparent)
    try:
        yield
    finally:
        _here.reset(token)


def here() -> str:
    """The traceparent of the span that this greenthread is in, or an empty text."""
    return _here.get()


def kept() -> str | None:
    """What a row keeps of the span in which it is made, for what is done with it later."""
    return _here.get() or None
