"""The span of one attempt to reach somebody outside: by which channel, and how it ended."""

from chassis import trace


def outgoing(channel: str, parent: str | None = None) -> trace.Span:
    """An attempt that begins now, under `parent`, or under the span that this is called in."""
    named = {"linli.channel": channel}
    if parent is None:
        return trace.inner(f"send {channel}", trace.CLIENT, named)
    return trace.span(f"send {channel}", trace.CLIENT, parent, named)


def tell(span: trace.Span, reason: str, status: int | None) -> None:
    """How it ended; `status` is that of HTTP or SMTP."""
    span.tell({"linli.reason": reason} | ({"linli.status": status} if status else {}))
    if reason != "delivered":
        span.fail(reason)
