"""Ticket numbers, `YYYYMMDD-NNNNNN` by the local day: for people to say aloud, with gaps, no
secret.
"""

import re
from datetime import date, datetime

from chassis import clock

A_DAYS_NUMBERS = 1_000_000
_NUMBER = re.compile(r"[0-9]{8}-[0-9]{6}")
# At least the year: fewer digits are rather part of a text.
_BEGINNING = re.compile(r"[0-9]{4,8}|[0-9]{8}-[0-9]{0,6}")


def day_of(moment: datetime) -> date:
    """The day on the local wall clock (+08:00) on which a moment lies."""
    return clock.local(moment).date()


def number(day: date, drawn: int, base: int) -> str:
    """The number for the value `drawn` from a counter that stood at `base` when the day's first
    number was asked for.

    It wraps after a million, which only an import into a day long past can reach; the unique number
    then draws again.
    """
    return f"{day:%Y%m%d}-{(drawn - base) % A_DAYS_NUMBERS:06d}"


def is_number(text: str) -> bool:
    """Whether the text has the form of a ticket's number."""
    return _NUMBER.fullmatch(text) is not None


def is_beginning(text: str) -> bool:
    """Whether the text may be how a number begins, the year at least."""
    return _BEGINNING.fullmatch(text) is not None
