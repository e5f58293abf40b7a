"""W3C Trace Context: making, checking and continuing a `traceparent`
(https://www.w3.org/TR/trace-context/).
"""

import re
import secrets

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def start() -> str:
    """The traceparent of a new trace, sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def valid(traceparent: str | None) -> bool:
    """Whether the text is a version-00 traceparent."""
    return bool(traceparent and _FORM.fullmatch(traceparent))


def child(traceparent: str | None) -> str:
    """A span of the same trace; a new trace when there is none."""
    if not traceparent or not valid(traceparent):
        return start()
    version, trace_id, _, flags = traceparent.split("-")
    return f"{version}-{trace_id}-{secrets.token_hex(8)}-{flags}"
