"""The inbox: which event each consumer has handled, written in the transaction of its effect, so
that it happens once.
"""

from datetime import datetime

from sqlalchemy import Column, DateTime, Index, MetaData, Table, Text, delete, func, select
from sqlalchemy.dialects.postgresql import UUID, insert
from sqlalchemy.orm import Session

metadata = MetaData()

inbox = Table(
    "inbox",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("handled_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("inbox_handled_at", "handled_at"),
)
# Built once: with every event SQLAlchemy has only its values to look at.
_ENTER = insert(inbox).on_conflict_do_nothing()


class AlreadyHandled(Exception):
    """This consumer has handled this event: there is nothing to do but to acknowledge it."""


def enter(session: Session, consumer: str, event_id: str) -> None:
    """Note that `consumer` handles the event; raises AlreadyHandled when it did so before."""
    done = session.execute(_ENTER, {"consumer": consumer, "event_id": event_id})
    if not done.rowcount:  # type: ignore[attr-defined]
        raise AlreadyHandled


def forget(session: Session, before: datetime, limit: int = 1000) -> int:
    """Drop up to `limit` rows handled before that moment, and say how many.

    No duplicate comes that late. Several processes may do this at once: each takes other rows.
    """
    old = (
        select(inbox.c.consumer, inbox.c.event_id)
        .where(inbox.c.handled_at < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    is_old = (inbox.c.consumer == old.c.consumer) & (inbox.c.event_id == old.c.event_id)
    done = session.execute(delete(inbox).where(is_old))
    return int(done.rowcount)  # type: ignore[attr-defined]
