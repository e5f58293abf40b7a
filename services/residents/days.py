"""Days on which something began or ended that is recorded once it has happened: never one to come.

So whatever has no last day is so today, and what is so now is found without looking at the clock.
"""

from datetime import date

from chassis import clock
from chassis.call import Call
from services.residents.errors import invalid


def told(day: date | None, call: Call, field: str) -> date:
    """The day that a command names in `field`, or else that on which it happened, in +08:00; raises
    Invalid for one to come.
    """
    day = day or clock.local(call.occurred_at).date()
    if day > clock.local(clock.now()).date():
        raise invalid(field, "in_the_future", "This day is still to come.")
    return day


def check_order(starts: date, ends: date) -> None:
    """Raise Invalid when the last day lies before the first."""
    if ends < starts:
        raise invalid("to", "before_start", "The last day lies before the first.")
