"""How an endpoint fares: its circuit breaker, its rate, and when it is given up. Pure.

After some failures in a row the breaker opens: the endpoint is probed by one delivery at a time, at
growing intervals, and its others wait. The first success closes it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.notifications.webhooks.outcome import Reason, Result

OPENS_AFTER = 5
"""Failures in a row."""
PROBES = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""Seconds until the first, second, … probe; the last one repeats."""


@dataclass(frozen=True)
class Health:
    """How an endpoint fares; `failures` are those in a row, `probe_at` is set while the breaker is
    open.
    """

    failures: int = 0
    failing_since: datetime | None = None
    probe_at: datetime | None = None


class Ended:
    """Reasons for which an endpoint is disabled."""

    GONE = "gone"
    FAILING = "failing"
    BY_HAND = "by_hand"
    KEY_LOST = "key_lost"


def after(health: Health, result: Result, *, probing: bool, at: datetime) -> Health:
    """Its health after an attempt that ended at `at`. What was on its way when the breaker opened
    says nothing new: only a probe counts then.
    """
    if result.reason is Reason.DELIVERED:
        return Health()
    if health.probe_at is not None and not probing:
        return health
    failing = replace(
        health, failures=health.failures + 1, failing_since=health.failing_since or at
    )
    if failing.failures < OPENS_AFTER:
        return failing
    probe = PROBES[min(failing.failures - OPENS_AFTER, len(PROBES) - 1)]
    return replace(failing, probe_at=at + timedelta(seconds=probe))


def ended(health: Health, result: Result, patience: timedelta, at: datetime) -> str | None:
    """Why the endpoint is to be disabled: it said so, or has failed for so long; None if not."""
    if result.reason is Reason.GONE:
        return Ended.GONE
    since = health.failing_since
    return Ended.FAILING if since is not None and at - since >= patience else None


def allowance(health: Health, *, most: int, in_hand: int, tokens: float, at: datetime) -> int:
    """How many deliveries may be begun now: one at a time as a probe, fewer after a failure, at
    most `most` at a time, and as many as its rate has tokens for.
    """
    if health.probe_at is not None:
        most = 1 if health.probe_at <= at else 0
    elif health.failures:
        # What may be dead must not hold many senders until that is certain.
        most = max(1, most // 4)
    return max(0, min(most - in_hand, int(tokens)))


def refill(tokens: float, since: datetime, rate: int, at: datetime) -> float:
    """The tokens of a bucket that had so many at `since`; `rate` is in tokens a minute."""
    grown = max(0.0, tokens) + max(0.0, (at - since).total_seconds()) * rate / 60
    return min(capacity(rate), grown)


def capacity(rate: int) -> float:
    """What a bucket holds: the tokens of a second, or one."""
    return max(1.0, rate / 60)


def ready_at(tokens: float, rate: int, at: datetime) -> datetime:
    """When the bucket has a token again."""
    return at + timedelta(seconds=max(0.0, 1.0 - tokens) * 60 / rate)
