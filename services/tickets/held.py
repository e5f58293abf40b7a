"""What tickets holds of a person: references to their tickets; for themselves, what they said."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Actor, Call
from chassis.errors import Forbidden
from services.tickets.erasure import RAISED_BY
from services.tickets.models import CommentRow, HistoryRow, TicketRow

_TOLD = (
    *("title", "description", "attributes", "media_url", "address", "latitude", "longitude"),
    *("solved", "satisfied"),
)
_COLUMNS = ("id", "number", "state", "filed_at", *(column.key for column in RAISED_BY), *_TOLD)


def held_on(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A page of references to the tickets that a person raised or that were raised for them, oldest
    first; for the gateway only, which has asked who may have it. Raises Forbidden.

    With `words`, which is for the person alone, also what they said; not what somebody else, who
    raised a ticket for them, said of them.
    """
    if call.actor != Actor("gateway", "system"):
        raise Forbidden
    person, limit = wanted["person"], wanted["limit"]
    columns = [getattr(TicketRow, name) for name in _COLUMNS]
    statement = select(*columns).where(or_(*(column == person for column in RAISED_BY)))
    if wanted["after"] is not None:
        statement = statement.where(TicketRow.id > wanted["after"])
    rows = session.execute(statement.order_by(TicketRow.id).limit(limit + 1)).all()
    page = rows[:limit]
    words = _words(session, page, person) if wanted["words"] else {}
    return {
        "items": [{**_reference(row, person), "words": words.get(row.id)} for row in page],
        "next": page[-1].id if len(rows) > limit else None,
    }


def _reference(row: Any, person: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "state": row.state,
        "filed_at": clock.iso(row.filed_at),
        "as": [column.key for column in RAISED_BY if getattr(row, column.key) == person],
    }


def _words(session: Session, page: Sequence[Any], person: str) -> dict[str, Any]:
    """By ticket, what was said in it by the person, or for them where nobody else raised it."""
    own = [row for row in page if person == (row.reporter or row.on_behalf_of)]
    tickets = [row.id for row in own]
    comments, moves = _comments(session, tickets, person), _moves(session, tickets, person)
    return {
        row.id: {
            **{name: getattr(row, name) for name in _TOLD},
            "comments": comments[row.id],
            "moves": moves[row.id],
        }
        for row in own
    }


def _comments(session: Session, tickets: list[str], person: str) -> dict[str, list[Any]]:
    found = defaultdict(list)
    theirs = select(CommentRow).where(CommentRow.ticket.in_(tickets), CommentRow.author == person)
    for row in session.scalars(theirs.order_by(CommentRow.ticket, CommentRow.sequence)):
        found[row.ticket].append({"text": row.text, "occurred_at": clock.iso(row.occurred_at)})
    return found


def _moves(session: Session, tickets: list[str], person: str) -> dict[str, list[Any]]:
    """The moves that they made, with their reasons and what they answered."""
    found = defaultdict(list)
    theirs = select(HistoryRow).where(HistoryRow.ticket.in_(tickets), HistoryRow.actor == person)
    for row in session.scalars(theirs.order_by(HistoryRow.ticket, HistoryRow.sequence)):
        found[row.ticket].append(
            {
                "move": row.move,
                "reason": row.reason,
                "details": row.details,
                "occurred_at": clock.iso(row.occurred_at),
            }
        )
    return found
