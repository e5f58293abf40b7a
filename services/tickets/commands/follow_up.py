"""What the reporter says of it, themselves or to somebody who called: whether it is solved, that it
is not after all, or that they take it back. And what follows when they say nothing.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.call import Call
from services.tickets import lifecycle, rows
from services.tickets.commands import moving
from services.tickets.commands.moving import Command
from services.tickets.errors import fault
from services.tickets.lifecycle import NO_ANSWER, UNREACHABLE, State
from services.tickets.models import TICKETS
from services.tickets.record import Step
from services.tickets.ticket import Ticket


def rate(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Keep the reporter's answer, and close the ticket or reopen it as the answer says.

    Whoever is not the reporter has called: they may say that nobody could be reached, which only
    counts the attempt. Raises also Invalid (only_by_call).
    """

    def steps(call: Call, ticket: Ticket) -> list[Step]:
        called = call.actor.id != ticket.reporter
        if not called:
            _check_own(command)
        rating = _rating(ticket, command, called=called)
        match lifecycle.consequence(command["solved"], command["reopen"]):
            case "closing":
                return [rating, _closing(call, ticket, command["solved"])]
            case "reopening":
                return [rating, _reopening(call, ticket, command["reason"])]
        return [rating]

    return moving.make(session, call, "follow-up", command, steps)


def _check_own(command: Command) -> None:
    """Of themselves nobody can say that they could not be reached, or did not answer."""
    if command["solved"] == UNREACHABLE:
        raise fault("/solved", "only_by_call", "Only whoever has called can say so.")
    if command["satisfied"] == NO_ANSWER:
        raise fault("/satisfied", "only_by_call", "Only whoever has called can say so.")


def _rating(ticket: Ticket, command: Command, *, called: bool) -> Step:
    answer = {name: command[name] for name in ("solved", "satisfied", "contacted")}
    in_vain = command["solved"] == UNREACHABLE
    learnt = {"call_attempts": ticket.call_attempts + 1} if in_vain else answer
    said = {"reopen": command["reopen"], "comment": command["comment"], "called": called}
    return Step(
        "follow-up",
        {"state": lifecycle.move(ticket.state, "follow-up"), **learnt},
        reason=command["reason"],
        details={**answer, **said},
        event=answer,
    )


def _closing(call: Call, ticket: Ticket, solved: str) -> Step:
    changes = {
        "state": lifecycle.move(ticket.state, "closing"),
        "closed_at": call.occurred_at,
        "answer_by": None,
    }
    if solved == NO_ANSWER:
        changes |= {"solved": NO_ANSWER, "satisfied": NO_ANSWER}
    return Step("closing", changes, details={"solved": solved}, event={"solved": solved})


def close_silent(session: Session, call: Call, now: datetime, limit: int) -> int:
    """Close up to `limit` tickets whose reporters did not answer in time, and say how many.

    Several replicas may do so at once: each passes over what another, or a late answer, has locked.
    """
    silent = (
        select(*rows.COLUMNS)
        .where(TICKETS.c.state == State.RESOLVED, TICKETS.c.answer_by <= now)
        .order_by(TICKETS.c.answer_by)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    tickets = [rows.from_row(row) for row in session.execute(silent)]
    for ticket in tickets:
        dated = moving.dated(call, now, ticket.changed_at)
        moving.take(session, dated, ticket, [_closing(dated, ticket, NO_ANSWER)], now)
    return len(tickets)


def reopen(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Give it to the same unit again; its clock starts anew, the count of that is kept."""
    return moving.make(
        session,
        call,
        "reopening",
        command,
        lambda call, ticket: [_reopening(call, ticket, command["reason"])],
    )


def _reopening(call: Call, ticket: Ticket, reason: str | None) -> Step:
    changes = {
        "state": lifecycle.move(ticket.state, "reopening"),
        "assignee": _who_had_it(ticket),
        "reopenings": ticket.reopenings + 1,
        "call_attempts": 0,
        "answer_by": None,
        "resolution": None,
        "assigned_at": call.occurred_at,
        "reopened_at": call.occurred_at,
        "started_at": None,
        "resolved_at": None,
        "closed_at": None,
    }
    return Step("reopening", changes, reason=reason, event={"reopenings": ticket.reopenings + 1})


def _who_had_it(ticket: Ticket) -> str | None:
    """The assignee; of what the community resolved without assigning it, whoever did."""
    if ticket.assignee is None and ticket.department is None:
        return ticket.responsible
    return ticket.assignee


def withdraw(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Take it back."""

    def steps(_call: Call, ticket: Ticket) -> list[Step]:
        changes = {"state": lifecycle.move(ticket.state, "withdrawal")}
        return [Step("withdrawal", changes, reason=command["reason"])]

    return moving.make(session, call, "withdrawal", command, steps)
