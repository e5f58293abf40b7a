"""Forgetting what is old: events with their deliveries and attempts, endpoints that were deleted,
secrets that have ended. Some rows at a time, each found by an index, and none that is in hand.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from services.notifications.webhooks.models import Attempt, Delivery, Endpoint, Event, Secret


def forget_events(session: Session, before: datetime, limit: int) -> int:
    """Forget up to `limit` deliveries of the oldest events that came before that moment, and the
    events of which none is left; how many rows of both it was.
    """
    oldest = select(Event.id).where(Event.created_at < before).order_by(Event.created_at)
    # Locked, so that no delivery is added to one meanwhile.
    found = session.scalars(oldest.limit(limit).with_for_update(skip_locked=True)).all()
    if not found:
        return 0
    deliveries = _forget_deliveries(session, Delivery.event.in_(found), limit)
    rest = exists().where(Delivery.event == Event.id)
    gone = delete(Event).where(Event.id.in_(found), ~rest).returning(Event.id)
    return deliveries + len(session.scalars(gone).all())


def forget_endpoints(session: Session, before: datetime, limit: int) -> int:
    """Forget secrets that ended before that moment and, of endpoints that were deleted whenever, up
    to `limit` deliveries and then, once none is left, them; how many deliveries it was.
    """
    session.execute(delete(Secret).where(Secret.ends_at < before))
    gone = session.scalars(select(Endpoint.id).where(Endpoint.deleted_at.is_not(None))).all()
    if not gone:
        return 0
    found = _forget_deliveries(session, Delivery.endpoint.in_(gone), limit)
    session.execute(delete(Secret).where(Secret.endpoint.in_(gone)))
    rest = exists().where(Delivery.endpoint == Endpoint.id)
    session.execute(delete(Endpoint).where(Endpoint.id.in_(gone), ~rest))
    return found


def _forget_deliveries(session: Session, which: ColumnElement[bool], limit: int) -> int:
    """Locked first: of one whose attempt is being recorded another is added."""
    old = select(Delivery.id).where(which).limit(limit).with_for_update(skip_locked=True)
    found: Sequence[UUID] = session.scalars(old).all()
    session.execute(delete(Attempt).where(Attempt.delivery.in_(found)))
    session.execute(delete(Delivery).where(Delivery.id.in_(found)))
    return len(found)
