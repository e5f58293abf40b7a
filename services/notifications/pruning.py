"""Forgetting what is old, some rows at a time: nothing here grows for ever.

Messages that still wait are never forgotten. A person's inbox is kept longer than the log of what
was sent, and neither is needed for anything else: what happened stands with its ticket.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import CursorResult, Delete, delete, exists, select
from sqlalchemy.orm import Session

from services.notifications.models import Attempt, Delivery, Forgotten, Notification, Progress
from services.notifications.outcome import State
from services.notifications.webhooks import pruning as webhooks


@dataclass(frozen=True)
class Kept:
    """How long what is kept: messages with their attempts, inbox items, events for webhooks."""

    deliveries: timedelta
    notifications: timedelta
    webhooks: timedelta


Step = Callable[[Session, datetime], int]
"""Forgets some rows of one kind, at that moment, and says how many it was."""


def steps(kept: Kept, limit: int = 1000) -> list[Step]:
    """A step for each kind, to be taken in a transaction of its own until it finds nothing: up to
    `limit` rows, oldest first. Several processes may do this at once: each takes other rows.
    """
    kinds: tuple[tuple[Callable[..., int], timedelta], ...] = (
        (_deliveries, kept.deliveries),
        (_notifications, kept.notifications),
        (_progress, kept.notifications),
        (_forgotten, kept.notifications),
        (webhooks.forget_events, kept.webhooks),
        (webhooks.forget_endpoints, kept.webhooks),
    )
    return [partial(_step, forget, long, limit) for forget, long in kinds]


def _step(
    forget: Callable[..., int], long: timedelta, limit: int, session: Session, at: datetime
) -> int:
    return forget(session, at - long, limit)


def _deliveries(session: Session, before: datetime, limit: int) -> int:
    old = (
        select(Delivery.id)
        .where(Delivery.created_at < before, Delivery.settled_at.is_not(None))
        .where(Delivery.state.not_in([State.QUEUED, State.COLLECTED]))
        .order_by(Delivery.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(old).all()
    _count(session, delete(Attempt).where(Attempt.delivery.in_(ids)))
    return _count(session, delete(Delivery).where(Delivery.id.in_(ids)))


def _notifications(session: Session, before: datetime, limit: int) -> int:
    waiting = exists().where(Delivery.notification == Notification.id)
    old = (
        select(Notification.id)
        .where(Notification.created_at < before, ~waiting)
        .order_by(Notification.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(old).all()
    return _count(session, delete(Notification).where(Notification.id.in_(ids)))


def _progress(session: Session, before: datetime, limit: int) -> int:
    return _oldest(session, Progress.ticket, Progress.seen_at, before, limit)


def _forgotten(session: Session, before: datetime, limit: int) -> int:
    return _oldest(session, Forgotten.person, Forgotten.at, before, limit)


def _oldest(session: Session, key: Any, at: Any, before: datetime, limit: int) -> int:
    old = select(key).where(at < before).order_by(at).limit(limit)
    found = session.scalars(old.with_for_update(skip_locked=True)).all()
    return _count(session, delete(key.class_).where(key.in_(found)))


def _count(session: Session, statement: Delete) -> int:
    done: CursorResult[Any] = session.execute(statement)  # type: ignore[assignment]
    return done.rowcount
