"""When news has lost its point and no message is worth sending any more. Pure.

The inbox keeps every step in order, so nothing is hidden; only messages are spared. Three rules: an
event that arrives after a later step of its ticket was handled sends nothing; a message that was
held up (provider or residents away) gives way to the later step's message; nothing is sent about
something long past. A message that is on time is sent even when the next step follows at its heels.
"""

from dataclasses import dataclass
from datetime import timedelta

from services.notifications.outcome import Reason


@dataclass(frozen=True)
class Limits:
    """How old news may be: `fresh_for` with a later step known, `expires_after` at all."""

    fresh_for: timedelta
    expires_after: timedelta


def stale_on_arrival(
    sequence: int, latest: int, happened: timedelta, limits: Limits
) -> Reason | None:
    """Why a message about step `sequence` is not even queued, or None.

    `latest` is the last step known, `happened` how long ago the step was made.
    """
    if latest > sequence:
        return Reason.SUPERSEDED
    return Reason.EXPIRED if happened > limits.expires_after else None


def stale_when_sending(
    sequence: int, latest: int, *, happened: timedelta, queued: timedelta, limits: Limits
) -> Reason | None:
    """Why a message that has been `queued` for so long is no longer sent, or None."""
    if happened > limits.expires_after:
        return Reason.EXPIRED
    return Reason.SUPERSEDED if latest > sequence and queued > limits.fresh_for else None
