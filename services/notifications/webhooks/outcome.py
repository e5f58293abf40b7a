"""What may come of an attempt to hand an event over, and what follows for its delivery. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.notifications.schedule import Schedule, next_attempt

# A receiver that asks for more patience than a day gets a day.
LONGEST_RETRY_AFTER = 86400.0
# A delivery at whose sight twenty senders died is itself the trouble.
MOST_LOSSES = 20


class State(StrEnum):
    """Where a delivery stands; all but `queued` are final, until it is asked for again."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"


class Reason(StrEnum):
    """Why an attempt ended as it did, or why there was none."""

    DELIVERED = "delivered"
    GONE = "gone"
    THROTTLED = "throttled"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    REDIRECTED = "redirected"
    TIMEOUT = "timeout"
    DNS_LOOKUP_FAILED = "dns_lookup_failed"
    ADDRESS_REFUSED = "address_refused"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    PROTOCOL_ERROR = "protocol_error"
    ROBOT_REFUSED = "robot_refused"
    NOT_ALLOWED = "not_allowed"
    SENDER_LOST = "sender_lost"
    SENDER_FAILED = "sender_failed"
    ENDPOINT_DISABLED = "endpoint_disabled"


@dataclass(frozen=True)
class Result:
    """How an attempt ended: `seconds` it took, `retry_after` seconds that the receiver asked for,
    what was sent, and the head and the beginning of what came back.
    """

    reason: Reason
    status: int | None = None
    seconds: float = 0.0
    retry_after: float | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, str] = field(default_factory=dict)
    excerpt: str = ""


@dataclass(frozen=True)
class Verdict:
    """Where the delivery stands after the attempt; `next_attempt_at` is set while it is queued."""

    state: State
    failures: int
    next_attempt_at: datetime | None


def reason_for(status: int) -> Reason:
    """What the status of an answer means. Standard Webhooks: 2xx is success, anything else is not,
    3xx is not followed, 410 says to stop.
    """
    if 200 <= status < 300:
        return Reason.DELIVERED
    if status == 410:
        return Reason.GONE
    if status in (429, 503):
        return Reason.THROTTLED
    if 300 <= status < 400:
        return Reason.REDIRECTED
    return Reason.CLIENT_ERROR if 400 <= status < 500 else Reason.SERVER_ERROR


def judge(
    result: Result, failures: int, schedule: Schedule, at: datetime, chance: float
) -> Verdict:
    """What follows from an attempt that ended at `at`, after so many failures; `chance` in [0, 1)
    spreads the retries.
    """
    if result.reason is Reason.DELIVERED:
        return Verdict(State.DELIVERED, 0, None)
    failures += 1
    again = next_attempt(schedule, failures, at, chance=chance, not_before=result.retry_after)
    return Verdict(State.QUEUED if again else State.FAILED, failures, again)
