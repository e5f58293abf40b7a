"""What can be asked of tickets; the list of them is in listing.py."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call
from chassis.errors import Forbidden
from services.tickets import access, cursors, numbers, projections, rows, views
from services.tickets.access import Reader
from services.tickets.categories import TREE
from services.tickets.errors import UnknownTicket
from services.tickets.models import CommentRow, HistoryRow
from services.tickets.names import Names
from services.tickets.ticket import Ticket

Query = Mapping[str, Any]


def answer(session: Session, call: Call, ticket: Ticket) -> dict[str, Any]:
    """A ticket that the caller has just moved, as they may see it, though it may be theirs no
    longer.
    """
    return tell(session, [(ticket, access.mover(call, ticket))])[0]


def filed(call: Call, ticket: Ticket, names: Names) -> dict[str, Any]:
    """A ticket that the caller has just filed, as they may see it."""
    return views.ticket(ticket, access.filer(call, ticket), names, clock.now())


def get_ticket(session: Session, call: Call, query: Query) -> dict[str, Any]:
    """A ticket as the caller may see it; raises UnknownTicket."""
    ticket = found(session, query["id"])
    return tell(session, [(ticket, access.reader(call, ticket))])[0]


def tell(session: Session, found: Sequence[tuple[Ticket, Reader]]) -> list[dict[str, Any]]:
    """Tickets, each with who reads it, as JSON values."""
    names = projections.names(session, (ticket for ticket, _ in found))
    now = clock.now()
    return [views.ticket(ticket, reader, names, now) for ticket, reader in found]


def ticket_history(session: Session, call: Call, query: Query) -> dict[str, Any]:
    """A page of what happened to a ticket, oldest first; raises UnknownTicket. Comments among staff
    show to staff only.
    """
    ticket = found(session, query["id"])
    reader = access.reader(call, ticket)
    entries = _after(HistoryRow, ticket, query)
    if not reader.internal:
        is_public = HistoryRow.details["visibility"].astext == "public"
        entries = entries.where(or_(HistoryRow.move != "comments", is_public))
    return _page(session, entries, query["limit"], lambda row: views.step(row, reader))


def list_comments(session: Session, call: Call, query: Query) -> dict[str, Any]:
    """A page of a ticket's comments, oldest first; raises UnknownTicket. Those among staff show to
    staff only.
    """
    ticket = found(session, query["id"])
    reader = access.reader(call, ticket)
    comments = _after(CommentRow, ticket, query)
    if not reader.internal:
        comments = comments.where(CommentRow.visibility == "public")
    return _page(session, comments, query["limit"], lambda row: views.comment(row, reader))


def _after(table: Any, ticket: Ticket, query: Query) -> Select[Any]:
    behind: ColumnElement[bool] = table.sequence > cursors.read_sequence(query["after"])
    statement = select(*table.__table__.columns).where(table.ticket == ticket.id, behind)
    return statement.order_by(table.sequence)


def _page(
    session: Session, statement: Select[Any], limit: int, tell: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    found = session.execute(statement.limit(limit + 1)).all()
    page = found[:limit]
    is_last = len(found) <= limit
    return {
        "items": [tell(row) for row in page],
        "next": None if is_last else cursors.after_sequence(page[-1].sequence),
    }


def categories(call: Call) -> dict[str, Any]:
    """The whole tree of what requests are about, groups before their leaves."""
    return {"items": [views.category(category, call.locale) for category in TREE], "next": None}


def suggest(session: Session, call: Call, query: Query) -> dict[str, Any]:
    """Who might solve it: `department`, the category's own, and `grid_worker`, of the nearest grid,
    each with its reason, or null.

    Raises UnknownTicket, and Forbidden to whoever may not assign.
    """
    ticket = found(session, query["id"])
    reader = access.reader(call, ticket)
    if reader.may.isdisjoint({"assignment", "override"}):
        raise Forbidden(operation="assignment")
    return {
        "department": _department(session, ticket),
        "grid_worker": _grid_worker(session, ticket),
    }


def _department(session: Session, ticket: Ticket) -> dict[str, str] | None:
    category = TREE.get(ticket.category)
    if category is None or category.department is None:
        return None
    if not projections.is_active(session, category.department):
        return None
    return {"code": category.department, "reason": "category", "category": category.code}


def _grid_worker(session: Session, ticket: Ticket) -> dict[str, str] | None:
    today = numbers.day_of(clock.now())
    duty = projections.nearest(session, "grid_worker", ticket.area_path, today)
    if duty is None:
        return None
    return {"person": duty.person, "reason": "area", "area": duty.area}


def found(session: Session, reference: str) -> Ticket:
    """The ticket with this id or number, whoever asks; raises UnknownTicket."""
    ticket = rows.found(session, reference)
    if ticket is None:
        raise UnknownTicket()
    return ticket
