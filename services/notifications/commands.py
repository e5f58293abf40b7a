"""What changes when news arrives or is read. Every function works in the session it is given."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, Table, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.events import CloudEvent
from services.notifications import items, restored, schemas
from services.notifications.errors import UnknownNotification
from services.notifications.models import Department, Notification, Progress
from services.notifications.news import STEPS, tellings
from services.notifications.staleness import Limits, stale_on_arrival

# Built once, and of the table: with every event SQLAlchemy has only its values to look at.
_PROGRESS = cast("Table", Progress.__table__)
_SEEING = insert(_PROGRESS)
_SEEN = _SEEING.on_conflict_do_update(
    index_elements=["ticket"],
    set_={
        "sequence": func.greatest(_PROGRESS.c.sequence, _SEEING.excluded.sequence),
        "seen_at": _SEEING.excluded.seen_at,
    },
).returning(_PROGRESS.c.sequence.label("latest"), restored.LAST.label("restored"))
_KNOWN = select(
    func.coalesce(
        select(_PROGRESS.c.sequence)
        .where(_PROGRESS.c.ticket == bindparam("ticket"))
        .scalar_subquery(),
        0,
    ).label("latest"),
    restored.LAST.label("restored"),
)


def tell(session: Session, event: CloudEvent, limits: Limits, at: datetime) -> None:
    """Tell everybody whom an event concerns; raises ValidationError on a wrong schema."""
    facts = schemas.facts_of(event)
    known = _note_progress(session, facts.ticket, event, at)
    stale = restored.stale_since(known.restored, event.id) or stale_on_arrival(
        event.sequence, known.latest, at - event.time, limits
    )
    news = {
        "event": UUID(event.id),
        "ticket": facts.ticket,
        "sequence": event.sequence,
        "variables": facts.variables,
        "at": event.time,
    }
    items.put(session, news, [*tellings(event.type, facts)], stale=stale, at=at)


def _note_progress(
    session: Session, ticket: UUID | None, event: CloudEvent, at: datetime
) -> Row[int, datetime | None]:
    """The `latest` step of the ticket that was seen, this one included, and when the database was
    `restored`, if ever.

    The ticket's row is locked until the end of the transaction: of two steps that arrive together,
    the second to get here knows of the first.
    """
    if event.type not in STEPS:
        return session.execute(_KNOWN, {"ticket": ticket}).one()
    seen = {"ticket": ticket, "sequence": event.sequence, "seen_at": at}
    return session.execute(_SEEN, seen).one()


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
