"""What changes when news arrives or is read. Every function works in the session it is given."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.events import CloudEvent
from chassis.ids import new_id
from services.notifications import deliveries, forgetting, preferences, restored, schemas
from services.notifications.errors import UnknownNotification
from services.notifications.models import Department, Notification, Progress
from services.notifications.news import STEPS, Facts, Telling, tellings
from services.notifications.staleness import Limits, stale_on_arrival

# Built once, and of tables: with every event SQLAlchemy has only its values to look at.
_ITEMS, _PROGRESS = (cast("Table", model.__table__) for model in (Notification, Progress))
_NOTIFY = insert(_ITEMS).on_conflict_do_nothing().returning(_ITEMS.c.id)
_SEEING = insert(_PROGRESS)
_SEEN = _SEEING.on_conflict_do_update(
    index_elements=["ticket"],
    set_={
        "sequence": func.greatest(_PROGRESS.c.sequence, _SEEING.excluded.sequence),
        "seen_at": _SEEING.excluded.seen_at,
    },
).returning(_PROGRESS.c.sequence)


def tell(session: Session, event: CloudEvent, limits: Limits, at: datetime) -> None:
    """Tell everybody whom an event concerns; raises ValidationError on a wrong schema."""
    facts = schemas.facts_of(event)
    latest = _note_progress(session, facts.ticket, event, at)
    stale = restored.stale_since_restore(session, event.id) or stale_on_arrival(
        event.sequence, latest, at - event.time, limits
    )
    for telling in tellings(event.type, facts):
        if forgetting.is_forgotten(session, telling.person):
            continue
        notification = _notify(session, event, facts, telling, at)
        if notification is not None and telling.also:
            preferred = preferences.held(session, telling.person)
            deliveries.queue(session, notification, telling, preferred, stale=stale, at=at)


def _note_progress(session: Session, ticket: UUID | None, event: CloudEvent, at: datetime) -> int:
    """The latest step of the ticket that was seen, this one included.

    The row is locked until the end of the transaction: of two steps that arrive together, the
    second to get here knows of the first.
    """
    if event.type not in STEPS:
        query = select(Progress.sequence).where(Progress.ticket == ticket)
        return session.scalar(query) or 0
    seen = {"ticket": ticket, "sequence": event.sequence, "seen_at": at}
    return int(session.execute(_SEEN, seen).scalar_one())


def _notify(
    session: Session, event: CloudEvent, facts: Facts, telling: Telling, at: datetime
) -> UUID | None:
    """The id of the new inbox item; None when this person was told of this event before."""
    item = {
        "id": new_id(),
        "event": UUID(event.id),
        "person": telling.person,
        "purpose": telling.purpose,
        "ticket": facts.ticket,
        "sequence": event.sequence,
        "variables": facts.variables,
        "at": event.time,
        "created_at": at,
    }
    found: UUID | None = session.scalar(_NOTIFY, item)
    return found


def mark_read(session: Session, person: UUID, notification: UUID, at: datetime) -> Notification:
    """Note that the person has read an item; raises UnknownNotification when it is not theirs."""
    item = session.scalar(
        select(Notification)
        .where(Notification.id == notification, Notification.person == person)
        .with_for_update()
    )
    if item is None:
        raise UnknownNotification
    # The first reading is the one that counts: repeating it changes nothing.
    item.read_at = item.read_at or at
    return item


def keep_department(session: Session, event: CloudEvent) -> None:
    """Keep what a department is called; a late event never overwrites a newer one."""
    department: dict[str, Any] = schemas.DepartmentEvent().load(event.data)
    values = {**department, "sequence": event.sequence}
    statement = insert(Department).values(values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Department.code],
            set_=values,
            where=Department.sequence < event.sequence,
        )
    )
