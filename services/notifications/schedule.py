"""When to try again: retry schedules as data. Pure: the time and the chance are arguments."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Schedule:
    """Seconds to wait after the first, second, … failure; an endless one repeats its last delay."""

    delays: tuple[float, ...]
    endless: bool = False

    def delay(self, failures: int) -> float | None:
        """Seconds to wait after so many failures (from 1 on), None to give up."""
        if failures <= len(self.delays):
            return self.delays[failures - 1]
        return self.delays[-1] if self.endless else None


def parse_delays(text: str) -> tuple[float, ...]:
    """`"5s 30s 2m 10m 1h"` as seconds; raises ValueError naming what it cannot read."""
    delays = tuple(_seconds(word) for word in text.replace(",", " ").split())
    if not delays:
        raise ValueError("a retry schedule needs at least one delay")
    return delays


def next_attempt(
    schedule: Schedule,
    failures: int,
    at: datetime,
    *,
    chance: float,
    jitter: float = 0.2,
    not_before: float | None = None,
) -> datetime | None:
    """When to try again after so many failures, None to give up.

    `chance` in [0, 1) spreads the delay over ± `jitter` (a share of it), so that what failed
    together does not come back together. `not_before` is what the other side asked for in its
    `Retry-After`, in seconds.
    """
    delay = schedule.delay(failures)
    if delay is None:
        return None
    spread = delay * (1 + jitter * (2 * chance - 1))
    return at + timedelta(seconds=max(spread, not_before or 0))


def _seconds(word: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", word)
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"not a delay such as 30s, 2m or 1h: {word!r}")
    return float(match[1]) * _UNITS[match[2]]
