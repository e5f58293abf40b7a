"""Deliveries in the database: queued with the news, claimed by a worker, settled by its record.

A claim is a lease, not a lock: the row's due time moves by the lease, and the number of the claim
goes up. Whoever records must still hold the latest claim, so that a worker that was thought dead
changes nothing any more; and what a dead worker held comes due by itself.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, func, insert, select
from sqlalchemy.orm import Session

from chassis.ids import new_id
from services.notifications import digests, forgetting, preferences
from services.notifications.choices import Preferred
from services.notifications.courier import Claimed
from services.notifications.models import Attempt, Delivery, Notification, Preference, Progress
from services.notifications.news import DIGEST, Channel, Telling
from services.notifications.outcome import (
    TRIED,
    Reason,
    Result,
    Schedules,
    State,
    Tally,
    Verdict,
    judge,
)
from services.notifications.quiet import Digest

# Built once, and of the table: with all news SQLAlchemy has only its values to look at.
_QUEUE = insert(cast("Table", Delivery.__table__))


def queue(
    session: Session,
    notification: UUID,
    telling: Telling,
    preferred: Preferred,
    *,
    stale: Reason | None,
    at: datetime,
) -> None:
    """The one delivery of news: due now, kept for a digest, or skipped as stale or unwanted."""
    unwanted = not preferred.wants(telling.also, telling.purpose)
    skipped = stale or (Reason.TURNED_OFF if unwanted else None)
    state = State.SKIPPED if skipped else _waits_as(telling, preferred)
    delivery = {
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
    session.execute(_QUEUE, delivery)


def _waits_as(telling: Telling, preferred: Preferred) -> State:
    gathers = preferred.digest is not Digest.OFF and not telling.urgent
    return State.COLLECTED if gathers else State.QUEUED


def claim(
    session: Session, at: datetime, limit: int, lease: timedelta, schedules: Schedules
) -> list[Claimed]:
    """Take up to `limit` deliveries that are due; other workers take others and wait for none."""
    due = session.scalars(
        select(Delivery)
        .where(Delivery.state == State.QUEUED, Delivery.next_attempt_at <= at)
        .order_by(Delivery.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for delivery in due:
        if delivery.claimed_at is not None:
            _write_off(session, delivery, at, schedules)
    taken = [delivery for delivery in due if delivery.state == State.QUEUED]
    for delivery in taken:
        delivery.claim += 1
        delivery.claimed_at = at
        delivery.next_attempt_at = at + lease
    session.flush()
    return _with_news(session, taken)


def record(
    session: Session,
    claimed: Claimed,
    result: Result,
    schedules: Schedules,
    at: datetime,
    *,
    chance: float,
) -> Verdict | None:
    """Settle a delivery or set its next attempt; None when the claim is no longer ours. What fails
    for good leaves its message to the next channel that reaches the person, if there is one.
    """
    verdict = judge(result, claimed.tally, schedules, at, chance)
    others = result.otherwise if verdict.state is State.FAILED else ()
    # Before the row is locked, as in an erasure: what takes its place must not outlive the person.
    if others and claimed.person and forgetting.is_forgotten(session, claimed.person):
        return None
    delivery = _still_ours(session, claimed)
    if delivery is None:
        return None
    _settle(session, delivery, result, verdict, at)
    if others:
        # The constraint lets a message follow only what has failed.
        session.flush()
        session.add(_instead_of(delivery, others, at))
    return verdict


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
    session.add(_attempt(delivery, 1, result, at, None))


def _write_off(session: Session, delivery: Delivery, at: datetime, schedules: Schedules) -> None:
    """Note the attempt of a worker that died: it may have sent, hence the idempotency key."""
    result = Result(Reason.WORKER_LOST)
    # The lease was the delay; only the giving up is taken from the verdict.
    verdict = judge(result, _tally(delivery), schedules, at, chance=0.5)
    _settle(session, delivery, result, verdict, at)


def _still_ours(session: Session, claimed: Claimed) -> Delivery | None:
    """The delivery, locked; None when somebody else has claimed or settled it."""
    return session.scalar(
        select(Delivery)
        .where(Delivery.id == claimed.id, Delivery.claim == claimed.claim)
        .where(Delivery.claimed_at.is_not(None))
        .with_for_update()
    )


def _settle(
    session: Session, delivery: Delivery, result: Result, verdict: Verdict, at: datetime
) -> None:
    if result.reason in TRIED:
        session.add(_attempt(delivery.id, delivery.claim, result, at, verdict.next_attempt_at))
    delivery.state = verdict.state
    delivery.reason = result.reason
    delivery.channel = result.channel or delivery.channel
    delivery.next_attempt_at = verdict.next_attempt_at
    delivery.claimed_at = None
    delivery.provider_failures = verdict.tally.provider
    delivery.waits = verdict.tally.waiting
    delivery.losses = verdict.tally.lost
    delivery.provider_reference = result.reference
    delivery.settled_at = None if verdict.state is State.QUEUED else at


def _instead_of(failed: Delivery, channels: Sequence[str], at: datetime) -> Delivery:
    """The same message by the channels that are left, due now."""
    return Delivery(
        id=new_id(),
        notification=failed.notification,
        person=failed.person,
        instead_of=failed.id,
        purpose=failed.purpose,
        channel=channels[0],
        channels=[*channels],
        urgent=failed.urgent,
        state=State.QUEUED,
        reason=Reason.FIRST_CHANNEL_FAILED,
        traceparent=failed.traceparent,
        next_attempt_at=at,
        created_at=at,
    )


def _attempt(
    delivery: UUID, number: int, result: Result, at: datetime, again: datetime | None
) -> Attempt:
    return Attempt(
        delivery=delivery,
        number=number,
        at=at,
        reason=result.reason,
        status=result.status,
        duration_ms=round(result.seconds * 1000),
        next_attempt_at=again,
    )


def _with_news(session: Session, taken: Sequence[Delivery]) -> list[Claimed]:
    if not taken:
        return []
    rows = session.execute(
        select(Delivery, Notification, Preference, func.coalesce(Progress.sequence, 0))
        .outerjoin(Notification, Notification.id == Delivery.notification)
        .outerjoin(Preference, Preference.person == Delivery.person)
        .outerjoin(Progress, Progress.ticket == Notification.ticket)
        .where(Delivery.id.in_([delivery.id for delivery in taken]))
        .order_by(Notification.at, Notification.sequence)
    ).all()
    told = digests.contents(session, [_digest(row[0]) for row in rows if row[0].purpose == DIGEST])
    return [_claimed(*row, told.get(_digest(row[0]))) for row in rows]


def _digest(delivery: Delivery) -> UUID:
    """What its news name: a digest sent instead of another tells what that one would have."""
    return delivery.instead_of or delivery.id


def _claimed(
    delivery: Delivery,
    news: Notification | None,
    preference: Preference | None,
    latest: int,
    digest: dict[str, Any] | None,
) -> Claimed:
    return Claimed(
        id=delivery.id,
        claim=delivery.claim,
        purpose=delivery.purpose,
        # What old code queued names its person in the news alone.
        person=news.person if news else delivery.person,
        channels=tuple(map(Channel, delivery.channels or [delivery.channel])),
        urgent=delivery.urgent,
        preferred=preferences.of(preference),
        variables=news.variables if news else digest or {},
        # A digest is of the time at which it was made, and no step of a ticket.
        sequence=news.sequence if news else 0,
        latest=latest if news else 0,
        happened_at=news.at if news else delivery.created_at,
        # What is sent instead of another has waited since the news came.
        queued_at=news.created_at if news else delivery.created_at,
        tally=_tally(delivery),
        traceparent=delivery.traceparent,
    )


def _tally(delivery: Delivery) -> Tally:
    return Tally(delivery.provider_failures, delivery.waits, delivery.losses)
