"""What tickets takes away when a person is erased: every link to them. What was asked for and done
stays, as the community's own record; phone and ID numbers were never in its texts.
"""

from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from chassis.events import CloudEvent
from services.tickets.facts import PersonFact
from services.tickets.models import CommentRow, HistoryRow, TicketRow

RAISED_BY = (TicketRow.reporter, TicketRow.on_behalf_of, TicketRow.filed_by)


def forget_person(session: Session, event: CloudEvent) -> None:
    """Unlink a person from the tickets that they raised or that were raised for them, from their
    history and from the comments under them. Raises ValidationError.

    Where they acted in other people's tickets (as staff) their id stays: it leads nowhere now.
    """
    person: str = PersonFact().load(event.data)["person"]
    raised = select(TicketRow.id).where(or_(*(column == person for column in RAISED_BY)))
    theirs = list(session.scalars(raised))
    for column in RAISED_BY:
        _unlink(session, TicketRow.id, theirs, column, person)
    _unlink(session, HistoryRow.ticket, theirs, HistoryRow.actor, person)
    _unlink(session, CommentRow.ticket, theirs, CommentRow.author, person)


def _unlink(session: Session, of: Any, tickets: list[str], column: Any, person: str) -> None:
    session.execute(
        update(column.class_).where(of.in_(tickets), column == person).values({column: None})
    )
