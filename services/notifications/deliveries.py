"""Deliveries in the database: queued with the news, settled by the record of whoever claimed them.

Whoever records must still hold the latest claim, so that a worker that was thought dead changes
nothing any more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, Row, Table, bindparam, func, insert, null, select, update
from sqlalchemy.orm import Session

from chassis.ids import new_id
from services.notifications import forgetting
from services.notifications.choices import Preferred
from services.notifications.courier import Claimed
from services.notifications.models import Attempt, Delivery
from services.notifications.news import Channel, Telling
from services.notifications.outcome import (
    TRIED,
    Reason,
    Result,
    Schedules,
    State,
    Verdict,
    judge,
)
from services.notifications.quiet import Digest

# Built once, and of tables: with all news SQLAlchemy has only its values to look at.
_DELIVERY, _ATTEMPT = (cast("Table", model.__table__) for model in (Delivery, Attempt))
_QUEUE = insert(_DELIVERY)
_OUTCOME = ("state", "reason", "next_attempt_at", "provider_reference", "settled_at")
_TALLY = ("provider_failures", "waits", "losses")
_SETTLE = (
    update(_DELIVERY)
    .where(_DELIVERY.c.id == bindparam("its_id"), _DELIVERY.c.claim == bindparam("its_claim"))
    .where(_DELIVERY.c.claimed_at.is_not(None))
    .values({name: bindparam(f"its_{name}") for name in (*_OUTCOME, *_TALLY)})
    .values(channel=func.coalesce(bindparam("its_channel"), _DELIVERY.c.channel), claimed_at=null())
)
# The same with the row of the attempt, so that there is never one without the other.
_SETTLED = _SETTLE.returning(_DELIVERY.c.id, _DELIVERY.c.claim).cte("settled")
_TRIED = insert(_ATTEMPT).from_select(
    ["delivery", "number", "at", "reason", "status", "duration_ms", "next_attempt_at"],
    select(
        *_SETTLED.c,
        *(
            bindparam(f"its_{name}", type_=_ATTEMPT.c[name].type)
            for name in ("at", "reason", "status", "duration_ms", "next_attempt_at")
        ),
    ),
)


def queued(
    notification: UUID,
    telling: Telling,
    preferred: Preferred,
    *,
    stale: Reason | None,
    at: datetime,
) -> Mapping[str, Any]:
    """The one delivery of news: due now, kept for a digest, or skipped as stale or unwanted."""
    unwanted = not preferred.wants(telling.also, telling.purpose)
    skipped = stale or (Reason.TURNED_OFF if unwanted else None)
    state = State.SKIPPED if skipped else _waits_as(telling, preferred)
    return {
        "id": new_id(),
        "notification": notification,
        "person": telling.person,
        "purpose": telling.purpose,
        # Until it is known what reaches the person, the first is as good as any.
        "channel": telling.also[0],
        "channels": [*telling.also],
        "urgent": telling.urgent,
        "state": state,
        "reason": skipped,
        "next_attempt_at": at if state is State.QUEUED else None,
        "created_at": at,
        "settled_at": at if skipped else None,
    }


def queue(session: Session, deliveries: Sequence[Mapping[str, Any]]) -> None:
    """Store deliveries that are `queued`."""
    if deliveries:
        session.execute(_QUEUE, deliveries)


def _waits_as(telling: Telling, preferred: Preferred) -> State:
    gathers = preferred.digest is not Digest.OFF and not telling.urgent
    return State.COLLECTED if gathers else State.QUEUED


def record(
    session: Session | Connection,
    claimed: Claimed,
    result: Result,
    schedules: Schedules,
    at: datetime,
    *,
    chance: float,
) -> Verdict | None:
    """Settle a delivery or set its next attempt; None when the claim is no longer ours. What fails
    for good leaves its message to the next channel that reaches the person, if there is one; with
    none in `result.otherwise` it is one statement.
    """
    verdict = judge(result, claimed.tally, schedules, at, chance)
    others = result.otherwise if verdict.state is State.FAILED else ()
    # Before the row is locked, as in an erasure: what takes its place must not outlive the person.
    if others and claimed.person and forgetting.is_forgotten(session, claimed.person):
        return None
    if not settle(session, claimed, result, verdict, at):
        return None
    if others:
        session.execute(_QUEUE, _instead_of(claimed, others, at))
    return verdict


def settle(
    session: Session | Connection,
    held: Claimed | Row[*tuple[Any, ...]],
    result: Result,
    verdict: Verdict,
    at: datetime,
) -> bool:
    """Note what came of a claim (by its `id` and `claim`), and of the attempt if there was one;
    False when somebody else has claimed or settled the delivery since.
    """
    tally = verdict.tally
    values = {
        "id": held.id,
        "claim": held.claim,
        "state": verdict.state,
        "reason": result.reason,
        "next_attempt_at": verdict.next_attempt_at,
        "provider_reference": result.reference,
        "settled_at": None if verdict.state is State.QUEUED else at,
        **dict(zip(_TALLY, (tally.provider, tally.waiting, tally.lost), strict=True)),
        "channel": result.channel,
        "at": at,
        "status": result.status,
        "duration_ms": round(result.seconds * 1000),
    }
    statement = _TRIED if result.reason in TRIED else _SETTLE
    done = session.execute(statement, {f"its_{name}": value for name, value in values.items()})
    return bool(done.rowcount)  # type: ignore[attr-defined]


def record_code(session: Session, delivery: UUID, result: Result, at: datetime) -> None:
    """Note that a sign-in code was sent or not: one attempt, without whom it was for."""
    sent = result.reason is Reason.DELIVERED
    session.add(
        Delivery(
            id=delivery,
            purpose="sign_in_code",
            channel=Channel.SMS,
            channels=[Channel.SMS],
            state=State.DELIVERED if sent else State.FAILED,
            reason=result.reason,
            claim=1,
            provider_reference=result.reference,
            created_at=at,
            settled_at=at,
        )
    )
    session.flush()
    session.add(
        Attempt(
            delivery=delivery,
            number=1,
            at=at,
            reason=result.reason,
            status=result.status,
            duration_ms=round(result.seconds * 1000),
        )
    )


def _instead_of(failed: Claimed, channels: Sequence[str], at: datetime) -> Mapping[str, Any]:
    """The same message by the channels that are left, due now."""
    return {
        "id": new_id(),
        "notification": failed.notification,
        "person": failed.person,
        "instead_of": failed.id,
        "purpose": failed.purpose,
        "channel": channels[0],
        "channels": [*channels],
        "urgent": failed.urgent,
        "state": State.QUEUED,
        "reason": Reason.FIRST_CHANNEL_FAILED,
        "traceparent": failed.traceparent,
        "next_attempt_at": at,
        "created_at": at,
    }
