"""What tickets holds of a person, and what it takes away when they are erased: every link to them,
and their door. What was asked for and done stays, as the community's own record; phone and ID
numbers were never in its texts.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Actor, Call
from chassis.errors import Forbidden
from chassis.events import CloudEvent
from services.tickets.facts import PersonFact
from services.tickets.models import CommentRow, HistoryRow, TicketRow

# Where a ticket of theirs was: most often at their own door. Its area stays, for the figures.
DOOR = ("address", "latitude", "longitude")
RAISED_BY = (TicketRow.reporter, TicketRow.on_behalf_of, TicketRow.filed_by)


def forget_person(session: Session, event: CloudEvent) -> None:
    """Unlink a person from the tickets that they raised or that were raised for them, from their
    history and from the comments under them; drop where exactly it was. Raises ValidationError.

    Where they acted in other people's tickets (as staff) their id stays: it leads nowhere now.
    """
    person: str = PersonFact().load(event.data)["person"]
    raised = select(TicketRow.id).where(or_(*(column == person for column in RAISED_BY)))
    theirs = list(session.scalars(raised))
    _drop_doors(session, person)
    for column in RAISED_BY:
        _unlink(session, TicketRow.id, theirs, column, person)
    _unlink(session, HistoryRow.ticket, theirs, HistoryRow.actor, person)
    _unlink(session, CommentRow.ticket, theirs, CommentRow.author, person)


def held_on(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A page of references to the tickets that a person raised or that were raised for them, oldest
    first; for the gateway only, which has asked who may have it. Raises Forbidden.
    """
    if call.actor != Actor("gateway", "system"):
        raise Forbidden
    person, limit = wanted["person"], wanted["limit"]
    columns = (TicketRow.id, TicketRow.number, TicketRow.state, TicketRow.filed_at, *RAISED_BY)
    statement = select(*columns).where(or_(*(column == person for column in RAISED_BY)))
    if wanted["after"] is not None:
        statement = statement.where(TicketRow.id > wanted["after"])
    rows = session.execute(statement.order_by(TicketRow.id).limit(limit + 1)).all()
    return {
        "items": [_reference(row, person) for row in rows[:limit]],
        "next": rows[limit - 1].id if len(rows) > limit else None,
    }


def _reference(row: Any, person: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "state": row.state,
        "filed_at": clock.iso(row.filed_at),
        "as": [column.key for column in RAISED_BY if getattr(row, column.key) == person],
    }


def _drop_doors(session: Session, person: str) -> None:
    """Whoever filed for others, as staff do, wrote down the door of somebody else."""
    about = or_(TicketRow.reporter == person, TicketRow.on_behalf_of == person)
    session.execute(update(TicketRow).where(about).values(dict.fromkeys(DOOR)))


def _unlink(session: Session, of: Any, tickets: list[str], column: Any, person: str) -> None:
    session.execute(
        update(column.class_).where(of.in_(tickets), column == person).values({column: None})
    )
