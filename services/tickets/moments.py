"""When a move happened: the clock's word for everyone, an importer's own within what the ticket's
history allows.
"""

from datetime import datetime, timedelta

from chassis.errors import Invalid
from services.tickets.errors import fault

# Clocks of two machines, and two calls that overtake each other, may disagree by this much without
# meaning it.
TOLERANCE = timedelta(minutes=1)


def moment(said: datetime, now: datetime, last: datetime | None, *, chosen: bool) -> datetime:
    """The time at which a move counts: not after `now`, not before `last`, the ticket's previous
    one.

    `chosen`: the caller may choose the time (import). Raises Invalid when a chosen time lies in the
    future or before `last`; any other is only moved to the nearest fair one, because there it is no
    more than clocks at odds.
    """
    floor = min(last, now) if last is not None and not chosen else last
    if chosen:
        _check(said, now, last)
    at = min(said, now)
    return at if floor is None else max(at, floor)


def _check(said: datetime, now: datetime, last: datetime | None) -> None:
    if said > now + TOLERANCE:
        raise _fault("in_the_future", "It cannot have happened in the future.")
    if last is not None and said < last - TOLERANCE:
        raise _fault("before_last_move", "It cannot have happened before the ticket's last change.")


def _fault(code: str, message: str) -> Invalid:
    return fault("/occurred_at", code, message)
