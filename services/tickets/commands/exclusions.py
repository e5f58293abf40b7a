"""What does not count: the secretary takes a ticket out of a rate, says why, and may take that
back.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call
from services.tickets import access, figure_rows, queries, rows, views
from services.tickets.commands import moving
from services.tickets.commands.moving import Command
from services.tickets.errors import AlreadyExcluded, NotExcluded
from services.tickets.models import HISTORY
from services.tickets.record import Step
from services.tickets.ticket import Ticket


def exclude(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Take a ticket out of a rate, and return what it is excluded from. Raises UnknownTicket,
    Forbidden, AlreadyExcluded.
    """
    return _change(session, call, command, "exclusion", reason=command["reason"])


def include(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Let it count again. Raises UnknownTicket, Forbidden, NotExcluded."""
    return _change(session, call, command, "inclusion", reason=None)


def _change(
    session: Session, call: Call, command: Command, move: str, *, reason: str | None
) -> dict[str, Any]:
    ticket, rate = rows.locked(session, command["id"]), command["rate"]
    access.check_operation(call, ticket, "exclusion")
    if not rows.made(session, call, ticket):
        _check(session, ticket, rate, move)
        now = clock.now()
        call = moving.dated(call, now, ticket.changed_at)
        step = Step(move, reason=reason, details={"rate": rate}, event={"rate": rate})
        moving.take(session, call, ticket, [step], now)
    return _in_force(session, ticket)


def _check(session: Session, ticket: Ticket, rate: str, move: str) -> None:
    figure = figure_rows.current(session, ticket.id)
    is_excluded = figure is not None and rate in figure.exclusions
    if is_excluded and move == "exclusion":
        raise AlreadyExcluded(rate=rate)
    if not is_excluded and move == "inclusion":
        raise NotExcluded(rate=rate)


def exclusions(session: Session, call: Call, query: Command) -> dict[str, Any]:
    """What a ticket is excluded from, by whom and why, as its history tells. Raises UnknownTicket,
    and Forbidden to whoever may not see figures.
    """
    ticket = queries.found(session, query["id"])
    access.check_operation(call, ticket, "figures.read")
    return _in_force(session, ticket)


def _in_force(session: Session, ticket: Ticket) -> dict[str, Any]:
    changes = (
        select(HISTORY)
        .where(HISTORY.c.ticket == ticket.id, HISTORY.c.move.in_(["exclusion", "inclusion"]))
        .order_by(HISTORY.c.sequence)
    )
    in_force: dict[str, dict[str, Any]] = {}
    for row in session.execute(changes):
        in_force.pop(row.details["rate"], None)
        if row.move == "exclusion":
            in_force[row.details["rate"]] = views.exclusion(row)
    return {"items": list(in_force.values()), "next": None}
