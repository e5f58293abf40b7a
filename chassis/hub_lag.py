"""How late the event loop is. What computes for long, or calls what blocks, holds up everything
else that the process does.
"""

import time

import eventlet

from chassis import metrics

_EVERY = 0.25  # seconds


def watch() -> None:
    """Set timers for ever, and count by how much they are late."""
    while True:
        due = time.monotonic() + _EVERY
        eventlet.sleep(_EVERY)
        metrics.HUB_LAG_SECONDS.observe(max(0.0, time.monotonic() - due))
