"""Tickets out of the database, as values."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select
from sqlalchemy.orm import Session

from chassis.call import Call
from services.tickets import numbers
from services.tickets.errors import UnknownTicket
from services.tickets.lifecycle import OPEN, State
from services.tickets.models import HISTORY, TICKETS
from services.tickets.ticket import Ticket

FIELDS: Final = tuple(item.name for item in fields(Ticket))
COLUMNS: Final = tuple(TICKETS.c[name] for name in FIELDS)
_UNFINISHED_STATES: Final = sorted({*OPEN, State.RESOLVED})
# It reads these alone, from the index by state, however many have been closed.
UNFINISHED: Final = (
    select(TICKETS.c.state, func.count())
    .where(TICKETS.c.state.in_(_UNFINISHED_STATES))
    .group_by(TICKETS.c.state)
)
# Built once: that many columns take longer to put together than to read.
_FILED_UNDER = select(*COLUMNS).where(TICKETS.c.command_id == bindparam("command"))
_WITH_ID = select(*COLUMNS).where(TICKETS.c.id == bindparam("reference"))
_WITH_NUMBER = select(*COLUMNS).where(TICKETS.c.number == bindparam("reference"))


def filed_under(session: Session, command_id: str | None) -> Ticket | None:
    """The ticket that this command has filed, if it did."""
    if command_id is None:
        return None
    return one(session, _FILED_UNDER, {"command": command_id})


def made(session: Session, call: Call, ticket: Ticket) -> bool:
    """Whether this command of this caller has changed the ticket before."""
    if call.command_id is None:
        return False
    found = select(HISTORY.c.sequence).where(
        HISTORY.c.ticket == ticket.id,
        HISTORY.c.command_id == call.command_id,
        HISTORY.c.actor.is_not_distinct_from(call.actor.id),
    )
    return session.execute(found).first() is not None


def locked(session: Session, reference: str) -> Ticket:
    """The ticket with this id or number, locked for the transaction; raises UnknownTicket."""
    statement = select(*COLUMNS).where(named(reference)).with_for_update()
    # Of two requests with one command the second may have waited for the lock while the first took
    # the ticket out of their caller's reach. The wall then judged it by what its statement saw at
    # its start, when that command had left no trace yet: another statement sees it.
    ticket = one(session, statement) or one(session, statement)
    if ticket is None:
        raise UnknownTicket()
    return ticket


def unfinished(connection: Connection) -> dict[str, float]:
    """How many tickets stand in each state but the last ones."""
    found = {state: float(number) for state, number in connection.execute(UNFINISHED)}
    return {state: found.get(state, 0.0) for state in _UNFINISHED_STATES}


def found(session: Session, reference: str) -> Ticket | None:
    """The ticket with this id or number, if there is one."""
    if numbers.is_number(reference):
        return one(session, _WITH_NUMBER, {"reference": reference})
    return one(session, _WITH_ID, {"reference": reference}) if is_id(reference) else None


def named(reference: str) -> ColumnElement[bool]:
    """The condition for the ticket with this id or number; raises UnknownTicket when it has the
    form of neither.
    """
    if numbers.is_number(reference):
        return TICKETS.c.number == reference
    if not is_id(reference):
        raise UnknownTicket()
    return TICKETS.c.id == reference


def is_id(text: str) -> bool:
    """Whether the text is a UUID in its usual form; Python reads more forms than PostgreSQL."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def one(
    session: Session, statement: Select[Any], values: Mapping[str, Any] | None = None
) -> Ticket | None:
    """The one ticket that a statement over COLUMNS selects with these values, if any."""
    row = session.execute(statement, values).first()
    return from_row(row) if row is not None else None


def from_row(row: Any) -> Ticket:
    """A row of COLUMNS as a ticket."""
    values = dict(zip(FIELDS, row, strict=True))
    values["state"] = State(values["state"])
    values["area_path"] = tuple(values["area_path"])
    return Ticket(**values)
