"""What may come of an attempt to deliver, and what follows from it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.notifications.schedule import Schedule, next_attempt


class State(StrEnum):
    """Where a delivery stands; all but `queued` and `collected` (for a digest) are final."""

    QUEUED = "queued"
    COLLECTED = "collected"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"


class Reason(StrEnum):
    """Why an attempt ended as it did, or why there was none."""

    DELIVERED = "delivered"
    PROVIDER_TIMEOUT = "provider_timeout"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_BUSY = "provider_busy"
    PROVIDER_UNAUTHORIZED = "provider_unauthorized"
    PROVIDER_UNTRUSTED = "provider_untrusted"
    PROVIDER_REFUSED = "provider_refused"
    RESIDENTS_UNAVAILABLE = "residents_unavailable"
    RESIDENTS_REFUSED = "residents_refused"
    UNKNOWN_PERSON = "unknown_person"
    NO_PHONE = "no_phone"
    NO_EMAIL = "no_email"
    UNRENDERABLE = "unrenderable"
    WORKER_LOST = "worker_lost"
    TURNED_OFF = "turned_off"
    IN_DIGEST = "in_digest"
    QUIET_HOURS = "quiet_hours"
    FIRST_CHANNEL_FAILED = "first_channel_failed"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    HELD_AFTER_RESTORE = "held_after_restore"


class Kind(StrEnum):
    """What a reason means for the delivery."""

    DONE = "done"
    PROVIDER = "provider"  # temporary, counted, on the provider's schedule
    WAITING = "waiting"  # not the message's fault, never given up, on the schedule of residents
    LOST = "lost"  # a worker died between its claim and its record
    PERMANENT = "permanent"
    DEFERRED = "deferred"  # there was no attempt, and there will be one at a time that is known
    SKIP = "skip"


KINDS: dict[Reason, Kind] = {
    Reason.DELIVERED: Kind.DONE,
    Reason.PROVIDER_TIMEOUT: Kind.PROVIDER,
    Reason.PROVIDER_UNREACHABLE: Kind.PROVIDER,
    Reason.PROVIDER_ERROR: Kind.PROVIDER,
    Reason.PROVIDER_BUSY: Kind.PROVIDER,
    # A wrong token is the operator's mistake and is mended while messages wait, so it is temporary.
    Reason.PROVIDER_UNAUTHORIZED: Kind.PROVIDER,
    # So is a certificate that has run out.
    Reason.PROVIDER_UNTRUSTED: Kind.PROVIDER,
    Reason.PROVIDER_REFUSED: Kind.PERMANENT,
    Reason.RESIDENTS_UNAVAILABLE: Kind.WAITING,
    Reason.RESIDENTS_REFUSED: Kind.WAITING,
    Reason.UNKNOWN_PERSON: Kind.PERMANENT,
    Reason.NO_PHONE: Kind.PERMANENT,
    # Most people have left no address: nothing went wrong.
    Reason.NO_EMAIL: Kind.SKIP,
    Reason.UNRENDERABLE: Kind.PERMANENT,
    Reason.WORKER_LOST: Kind.LOST,
    Reason.QUIET_HOURS: Kind.DEFERRED,
    # Of what is sent instead, until it has been tried itself.
    Reason.FIRST_CHANNEL_FAILED: Kind.DEFERRED,
    Reason.TURNED_OFF: Kind.SKIP,
    Reason.IN_DIGEST: Kind.SKIP,
    Reason.SUPERSEDED: Kind.SKIP,
    Reason.EXPIRED: Kind.SKIP,
    # An operator may let it go on its way.
    Reason.HELD_AFTER_RESTORE: Kind.SKIP,
}

_FINAL = {Kind.DONE: State.DELIVERED, Kind.PERMANENT: State.FAILED, Kind.SKIP: State.SKIPPED}

# What an attempt row is written for: something was tried.
TRIED = frozenset(reason for reason in Reason if KINDS[reason] not in (Kind.SKIP, Kind.DEFERRED))


@dataclass(frozen=True)
class Result:
    """How an attempt ended.

    `status` is the provider's, of HTTP or SMTP, `seconds` how long it took, `retry_after` the
    seconds it asked for, `reference` its own id of the message, `channel` the one that was chosen,
    `otherwise` of what did not arrive those after it that reach the person, too.
    """

    reason: Reason
    status: int | None = None
    seconds: float = 0.0
    retry_after: float | None = None
    reference: str | None = None
    channel: str | None = None
    otherwise: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tally:
    """How often a delivery failed so far, by kind; each kind has its own schedule."""

    provider: int = 0
    waiting: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Schedules:
    """The retry schedule of each kind of trouble that passes."""

    provider: Schedule
    waiting: Schedule
    lost: Schedule


@dataclass(frozen=True)
class Verdict:
    """Where the delivery stands after the attempt; `next_attempt_at` is set while it is queued."""

    state: State
    tally: Tally
    next_attempt_at: datetime | None


def judge(
    result: Result, tally: Tally, schedules: Schedules, at: datetime, chance: float
) -> Verdict:
    """What follows from an attempt that ended at `at`; `chance` in [0, 1) spreads the retries."""
    kind = KINDS[result.reason]
    if kind in _FINAL:
        return Verdict(_FINAL[kind], tally, None)
    if kind is Kind.DEFERRED:
        return Verdict(State.QUEUED, tally, at + timedelta(seconds=result.retry_after or 0))
    counted, failures, schedule = _count(kind, tally, schedules)
    again = next_attempt(schedule, failures, at, chance=chance, not_before=result.retry_after)
    return Verdict(State.QUEUED if again else State.FAILED, counted, again)


def _count(kind: Kind, tally: Tally, schedules: Schedules) -> tuple[Tally, int, Schedule]:
    if kind is Kind.PROVIDER:
        counted = Tally(tally.provider + 1, tally.waiting, tally.lost)
        return counted, counted.provider, schedules.provider
    if kind is Kind.WAITING:
        counted = Tally(tally.provider, tally.waiting + 1, tally.lost)
        return counted, counted.waiting, schedules.waiting
    counted = Tally(tally.provider, tally.waiting, tally.lost + 1)
    return counted, counted.lost, schedules.lost
