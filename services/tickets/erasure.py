"""What tickets takes away of a person when they are erased: every link to them, and their door.
What was asked for and done stays, as the community's own record; phone and ID numbers were never in
its texts.
"""

from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from chassis.events import CloudEvent
from chassis.schemas import load
from services.tickets.facts import PersonFact
from services.tickets.models import CommentRow, HistoryRow, TicketRow

# Where a ticket of theirs was, and looked like: most often at their own door. Its area stays, for
# the figures.
DOOR = ("address", "latitude", "longitude", "media_url")
RAISED_BY = (TicketRow.reporter, TicketRow.on_behalf_of, TicketRow.filed_by)


def forget_person(session: Session, event: CloudEvent) -> None:
    """Unlink a person from the tickets that they raised or that were raised for them, from their
    history and from the comments under them; drop where exactly it was. Raises ValidationError.

    Where they acted in other people's tickets (as staff) their id stays: it leads nowhere now.
    """
    person: str = load(PersonFact, event.data)["person"]
    raised = select(TicketRow.id).where(or_(*(column == person for column in RAISED_BY)))
    theirs = list(session.scalars(raised))
    _drop_doors(session, person)
    for column in RAISED_BY:
        _unlink(session, TicketRow.id, theirs, column, person)
    _unlink(session, HistoryRow.ticket, theirs, HistoryRow.actor, person)
    _unlink(session, CommentRow.ticket, theirs, CommentRow.author, person)


def _drop_doors(session: Session, person: str) -> None:
    """Whoever filed for others, as staff do, wrote down the door of somebody else."""
    about = or_(TicketRow.reporter == person, TicketRow.on_behalf_of == person)
    session.execute(update(TicketRow).where(about).values(dict.fromkeys(DOOR)))


def _unlink(session: Session, of: Any, tickets: list[str], column: Any, person: str) -> None:
    session.execute(
        update(column.class_).where(of.in_(tickets), column == person).values({column: None})
    )
