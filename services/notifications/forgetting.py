"""People who were erased: what they were told goes, and late news does not come back to them."""

from collections.abc import Collection
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Table,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.events import CloudEvent
from services.notifications import schemas
from services.notifications.models import Attempt, Delivery, Forgotten, Notification, Preference
from services.notifications.webhooks.models import Clerk, Endpoint

# Built once: for everybody who is told something SQLAlchemy has only its values to look at.
_HOLD = select(
    func.pg_advisory_xact_lock_shared(func.unnest(bindparam("locks", type_=ARRAY(BigInteger))))
)
_IS_FORGOTTEN = select(
    exists().where(cast("Table", Forgotten.__table__).c.person == bindparam("somebody"))
)


def forget_person(session: Session, event: CloudEvent, at: datetime) -> None:
    """Delete the inbox of a person who was erased, what was or is to be delivered of it, by itself
    or in digests, and what they prefer; and remember that they are to be told nothing.
    """
    person = schemas.PersonEvent().load(event.data)["resident"]
    session.execute(select(func.pg_advisory_xact_lock(_lock(person))))
    remembered = insert(Forgotten).values(person=person, at=at)
    session.execute(remembered.on_conflict_do_nothing())
    items = select(Notification.id).where(Notification.person == person)
    theirs = or_(Delivery.person == person, Delivery.notification.in_(items))
    found = select(Delivery.id, Delivery.digest).where(theirs)
    messages = {message for row in session.execute(found) for message in row if message}
    session.execute(delete(Attempt).where(Attempt.delivery.in_(messages)))
    session.execute(delete(Delivery).where(Delivery.id.in_(messages)))
    session.execute(delete(Notification).where(Notification.person == person))
    session.execute(delete(Preference).where(Preference.person == person))
    session.execute(delete(Clerk).where(Clerk.person == person))
    made = update(Endpoint).where(Endpoint.created_by == person)
    session.execute(made.values(created_by=None))


def is_forgotten(session: Session | Connection, person: UUID) -> bool:
    """Whether somebody was erased. Nobody is until the end of the transaction who is not now."""
    hold(session, [person])
    return bool(session.scalar(_IS_FORGOTTEN, {"somebody": person}))


def hold(session: Session | Connection, people: Collection[UUID]) -> None:
    """Let none of them be erased until the end of the transaction: each kind of event has its own
    queue, and news of a ticket may be told while its reporter goes. Whether somebody was erased
    before is for a later statement to ask, which sees what this one has waited for.
    """
    session.execute(_HOLD, {"locks": [_lock(person) for person in people]})


def _lock(person: UUID) -> int:
    return int.from_bytes(person.bytes[-8:], signed=True)
