"""Forgetting what is old: events with their deliveries and attempts, endpoints that were deleted,
secrets that have ended. Some rows at a time, each found by an index.
"""

from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from services.notifications.webhooks.models import Attempt, Delivery, Endpoint, Event, Secret


def forget(session: Session, before: datetime, limit: int) -> int:
    """Forget up to `limit` events that came before that moment, and as many deliveries of endpoints
    that are gone; how many rows of both it was.
    """
    session.execute(delete(Secret).where(Secret.ends_at < before))
    return _events(session, before, limit) + _deleted(session, limit)


def _events(session: Session, before: datetime, limit: int) -> int:
    old = session.scalars(
        select(Event.id)
        .where(Event.created_at < before)
        .order_by(Event.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not old:
        return 0
    _forget(session, session.scalars(select(Delivery.id).where(Delivery.event.in_(old))).all())
    session.execute(delete(Event).where(Event.id.in_(old)))
    return len(old)


def _deleted(session: Session, limit: int) -> int:
    """Of endpoints that were deleted, first the deliveries, and then, once none is left, they."""
    gone = session.scalars(select(Endpoint.id).where(Endpoint.deleted_at.is_not(None))).all()
    if not gone:
        return 0
    theirs = select(Delivery.id).where(Delivery.endpoint.in_(gone)).limit(limit)
    found = session.scalars(theirs.with_for_update(skip_locked=True)).all()
    _forget(session, found)
    session.execute(delete(Secret).where(Secret.endpoint.in_(gone)))
    rest = exists().where(Delivery.endpoint == Endpoint.id)
    session.execute(delete(Endpoint).where(Endpoint.id.in_(gone), ~rest))
    return len(found)


def _forget(session: Session, deliveries: object) -> None:
    session.execute(delete(Attempt).where(Attempt.delivery.in_(deliveries)))  # type: ignore[arg-type]
    session.execute(delete(Delivery).where(Delivery.id.in_(deliveries)))  # type: ignore[arg-type]
