"""The one clock. Tests and drills shift it with `LINLI_CLOCK_OFFSET` (seconds); nothing else reads
the time of day.
"""

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_offset = timedelta(seconds=float(os.environ.get("LINLI_CLOCK_OFFSET", "0")))
ZONE = ZoneInfo(os.environ.get("LINLI_TIMEZONE", "Asia/Shanghai"))


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC) + _offset


def local(moment: datetime) -> datetime:
    """The same moment on the wall clock of the place that is served."""
    return moment.astimezone(ZONE)


def iso(moment: datetime) -> str:
    """RFC 3339 in the local zone, such as `2026-11-01T08:00:00.000000+08:00`."""
    return local(moment).isoformat(timespec="microseconds")


def parse(text: str) -> datetime:
    """The aware moment that an RFC 3339 text names; raises ValueError when it is malformed or has
    no zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment
