"""What people add to a ticket and correct in it, which moves it nowhere."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call
from chassis.errors import Stale
from chassis.ids import new_id
from services.tickets import access, queries, rows, views
from services.tickets.categories import TREE
from services.tickets.commands import moving
from services.tickets.commands.moving import Command
from services.tickets.models import CommentRow, HistoryRow
from services.tickets.record import Step
from services.tickets.ticket import Ticket


def comment(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Write a comment and return it; a repeated command returns the first one's. Raises
    UnknownTicket, Forbidden.
    """
    ticket = rows.locked(session, command["id"])
    visibility = command["visibility"]
    operation = "comments" if visibility == "public" else "internal_comments"
    reader = access.check_operation(call, ticket, operation)
    if not rows.made(session, call, ticket):
        now = clock.now()
        call = moving.dated(call, now, ticket.changed_at)
        comment_id = _keep_comment(session, call, ticket, command)
        event = {"comment": comment_id, "comment_visibility": visibility}
        step = Step("comments", details={"visibility": visibility}, event=event)
        moving.take(session, call, ticket, [step], now)
        return views.comment(_comment(session, CommentRow.id == comment_id), reader)
    return views.comment(_comment(session, _made_by(call, ticket)), reader)


def amend(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Correct category, title, location or visibility, and return the ticket. What is right already
    changes nothing.

    Raises UnknownTicket, Forbidden, Stale, Invalid.
    """
    ticket = rows.locked(session, command["id"])
    if not rows.made(session, call, ticket):
        access.check_operation(call, ticket, "amendment")
        _check_unchanged(ticket, command)
        ticket = _amended(session, call, ticket, _corrections(ticket, command))
    return queries.answer(session, call, ticket)


def _keep_comment(session: Session, call: Call, ticket: Ticket, command: Command) -> str:
    comment_id = str(new_id())
    row = {
        "id": comment_id,
        "ticket": ticket.id,
        "sequence": ticket.sequence + 1,
        "author": call.actor.id,
        "author_kind": call.actor.kind,
        "visibility": command["visibility"],
        "text": command["text"],
        "occurred_at": call.occurred_at,
    }
    session.execute(insert(CommentRow).values(row))
    return comment_id


def _made_by(call: Call, ticket: Ticket) -> ColumnElement[bool]:
    sequence = select(HistoryRow.sequence).where(
        HistoryRow.ticket == ticket.id, HistoryRow.command_id == call.command_id
    )
    return and_(CommentRow.ticket == ticket.id, CommentRow.sequence == sequence.scalar_subquery())


def _comment(session: Session, condition: ColumnElement[bool]) -> Any:
    columns = CommentRow.__table__.columns
    return session.execute(select(*columns).where(condition)).one()


def _check_unchanged(ticket: Ticket, command: Command) -> None:
    access.check_version(ticket, command["if_match"])
    if command["if_sequence"] not in (None, ticket.sequence):
        raise Stale(version=ticket.version)


def _corrections(ticket: Ticket, command: Command) -> dict[str, Any]:
    """The fields that the command changes, as the ticket calls them."""
    wanted = {
        name: command[name] for name in ("category", "title", "visibility") if name in command
    }
    if "category" in wanted and wanted["category"] != ticket.category:
        TREE.leaf(wanted["category"])
    if "location" in command:
        location = command["location"] or {"lat": None, "lon": None}
        wanted |= {"latitude": location["lat"], "longitude": location["lon"]}
    return {name: value for name, value in wanted.items() if value != getattr(ticket, name)}


def _amended(
    session: Session, call: Call, ticket: Ticket, corrections: Mapping[str, Any]
) -> Ticket:
    if not corrections:
        return ticket
    now = clock.now()
    call = moving.dated(call, now, ticket.changed_at)
    names = sorted({_SHOWN.get(name, name) for name in corrections})
    # By the category goes how soon there had to be a response: figures follow it through history.
    told = {"category": corrections["category"]} if "category" in corrections else {}
    details = {"fields": names, **told}
    step = Step("amendment", corrections, details=details, event={"amended": names})
    return moving.take(session, call, ticket, [step], now)


_SHOWN = {"latitude": "location", "longitude": "location"}
