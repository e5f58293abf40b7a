"""When a telephone is left alone, and when news that can wait is gathered. Pure: the time is an
argument, and hours are those of the wall clock of the place that is served.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from chassis import clock

# When a digest goes out: after breakfast, a weekly one on Mondays.
DIGEST_HOUR = time(8)


class Digest(StrEnum):
    """How often what is not urgent is told, instead of each by itself."""

    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True)
class Quiet:
    """From one time of day to another, which may be on the next day; never a whole day."""

    start: time
    end: time


# What holds for whoever has said nothing else, unless the settings say otherwise.
DEFAULT_QUIET = Quiet(time(22), time(7))


def parse_quiet(text: str) -> Quiet | None:
    """`22:00-07:00`, or `none`; raises ValueError."""
    if text == "none":
        return None
    start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    if start == end:
        raise ValueError("a whole day cannot be quiet")
    return Quiet(start, end)


def quiet_until(quiet: Quiet | None, at: datetime) -> datetime | None:
    """When the quiet hours in which `at` lies are over; None when it lies in none."""
    if quiet is None:
        return None
    local = clock.local(at)
    now = local.time().replace(tzinfo=None)
    overnight = quiet.end <= quiet.start
    late, early = now >= quiet.start, now < quiet.end
    if not (late or early if overnight else late and early):
        return None
    day = local.date() + timedelta(days=1) if overnight and late else local.date()
    return _moment(day, quiet.end)


def next_digest(how_often: Digest, after: datetime) -> datetime | None:
    """When the first digest after that moment goes out; None when there is none."""
    if how_often is Digest.OFF:
        return None
    day = clock.local(after).date()
    for days in range(9):
        there = _moment(day + timedelta(days=days), DIGEST_HOUR)
        fits = how_often is Digest.DAILY or clock.local(there).weekday() == 0
        if fits and there > after:
            return there
    raise AssertionError("a week has a Monday")


def _moment(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, clock.ZONE)
