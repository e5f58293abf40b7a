"""Deliveries that are due, claimed by a worker.

A claim is a lease, not a lock: the row's due time moves by the lease, and the number of the claim
goes up. What a dead worker held comes due by itself.
"""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    DateTime,
    Integer,
    Row,
    Table,
    Uuid,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session

from services.notifications import deliveries, digests, preferences
from services.notifications.courier import Claimed
from services.notifications.models import Delivery, Notification, Preference, Progress
from services.notifications.news import DIGEST, Channel
from services.notifications.outcome import Reason, Result, Schedules, State, Tally, judge

# Built once, and of tables: with each round SQLAlchemy has only its values to look at.
_DELIVERY, _ITEM, _PREFERENCE, _PROGRESS = (
    cast("Table", model.__table__) for model in (Delivery, Notification, Preference, Progress)
)
_AT = bindparam("at", type_=DateTime(timezone=True))
_IS_DUE = (_DELIVERY.c.state == State.QUEUED, _DELIVERY.c.next_attempt_at <= _AT)
# The first of each, which the beginning of an index tells: to look whether there is any, PostgreSQL
# would read the whole table where it expects many.
_FIRST = select(func.min(_DELIVERY.c.next_attempt_at)).where(_DELIVERY.c.state == State.QUEUED)
_FIRST_DIGEST = select(func.min(_PREFERENCE.c.next_digest_at))
_LOOK = select(
    (_FIRST.scalar_subquery() <= _AT).label("messages"),
    (_FIRST_DIGEST.scalar_subquery() <= _AT).label("digests"),
)
_TALLY = tuple(_DELIVERY.c[name] for name in ("provider_failures", "waits", "losses"))
_DUE = (
    select(_DELIVERY.c.id, _DELIVERY.c.claim, _DELIVERY.c.claimed_at, *_TALLY)
    .where(*_IS_DUE)
    .order_by(_DELIVERY.c.next_attempt_at)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True)
)
_TAKEN = (
    update(_DELIVERY)
    .where(_DELIVERY.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))))
    .values(claim=_DELIVERY.c.claim + 1, claimed_at=_AT, next_attempt_at=bindparam("until"))
    .returning(_DELIVERY)
    .cte("taken")
)
_TAKE = (
    select(
        *(_TAKEN.c[name] for name in ("id", "claim", "notification", "purpose", "urgent")),
        *(_TAKEN.c[name] for name in ("channel", "channels", "instead_of", "traceparent")),
        *(_TAKEN.c[column.name] for column in _TALLY),
        # What old code queued names its person in the news alone.
        func.coalesce(_ITEM.c.person, _TAKEN.c.person).label("person"),
        _ITEM.c.variables,
        # A digest is of the time at which it was made, and no step of a ticket.
        func.coalesce(_ITEM.c.sequence, 0).label("sequence"),
        func.coalesce(_PROGRESS.c.sequence, 0).label("latest"),
        func.coalesce(_ITEM.c.at, _TAKEN.c.created_at).label("happened_at"),
        # What is sent instead of another has waited since the news came.
        func.coalesce(_ITEM.c.created_at, _TAKEN.c.created_at).label("queued_at"),
        *(_PREFERENCE.c[name] for name in preferences.COLUMNS),
    )
    .outerjoin(_ITEM, _ITEM.c.id == _TAKEN.c.notification)
    .outerjoin(_PREFERENCE, _PREFERENCE.c.person == _TAKEN.c.person)
    .outerjoin(_PROGRESS, _PROGRESS.c.ticket == _ITEM.c.ticket)
    .order_by(_ITEM.c.at, _ITEM.c.sequence)
)


def due(session: Session, at: datetime) -> Row[bool, bool]:
    """Whether there are `messages` that are due, and `digests` to be made; true or not."""
    return session.execute(_LOOK, {"at": at}).one()


def claim(
    session: Session, at: datetime, limit: int, lease: timedelta, schedules: Schedules
) -> list[Claimed]:
    """Take up to `limit` deliveries that are due; other workers take others and wait for none."""
    found = session.execute(_DUE, {"at": at, "limit": limit}).all()
    ids = [
        row.id
        for row in found
        if row.claimed_at is None or _write_off(session, row, at, schedules) is State.QUEUED
    ]
    if not ids:
        return []
    taken = session.execute(_TAKE, {"ids": ids, "at": at, "until": at + lease}).all()
    told = digests.contents(session, [_digest(row) for row in taken if row.purpose == DIGEST])
    return [_claimed(row, told.get(_digest(row))) for row in taken]


def _write_off(
    session: Session, lost: Row[*tuple[Any, ...]], at: datetime, schedules: Schedules
) -> State:
    """Note the attempt of a worker that died: it may have sent, hence the idempotency key."""
    result = Result(Reason.WORKER_LOST)
    # The lease was the delay; only the giving up is taken from the verdict.
    verdict = judge(result, _tally(lost), schedules, at, chance=0.5)
    deliveries.settle(session, lost, result, verdict, at)
    return verdict.state


def _digest(row: Row[*tuple[Any, ...]]) -> UUID:
    """What its news name: a digest sent instead of another tells what that one would have."""
    found: UUID = row.instead_of or row.id
    return found


def _claimed(row: Row[*tuple[Any, ...]], digest: dict[str, Any] | None) -> Claimed:
    return Claimed(
        id=row.id,
        claim=row.claim,
        notification=row.notification,
        purpose=row.purpose,
        person=row.person,
        channels=tuple(map(Channel, row.channels or [row.channel])),
        urgent=row.urgent,
        preferred=preferences.of(row),
        variables=row.variables or digest or {},
        sequence=row.sequence,
        latest=row.latest,
        happened_at=row.happened_at,
        queued_at=row.queued_at,
        tally=_tally(row),
        traceparent=row.traceparent,
    )


def _tally(row: Row[*tuple[Any, ...]]) -> Tally:
    return Tally(row.provider_failures, row.waits, row.losses)
