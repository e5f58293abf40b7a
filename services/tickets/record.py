"""How a ticket comes to be and changes: its row, one row of history and one event a step, all in
the caller's transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import gathering, logs
from chassis.call import Call
from chassis.gathering import gathered
from services.tickets import events, figure_rows, numbers, texts
from services.tickets.models import HISTORY, NUMBER_DAYS, TICKET_NUMBERS, TICKETS
from services.tickets.rows import FIELDS
from services.tickets.ticket import Ticket

log = logs.get("tickets")

# Built once: on every filing and move, SQLAlchemy has only their values to look at.
_BEGIN = insert(TICKETS).on_conflict_do_nothing().returning(TICKETS.c.id)
_DRAW = select(
    TICKET_NUMBERS.next_value(),
    select(NUMBER_DAYS.c.base).where(NUMBER_DAYS.c.day == bindparam("day")).scalar_subquery(),
)


@dataclass(frozen=True)
class Step:
    """One change: the fields it sets, why (in somebody's words), what else was said, and what its
    event adds.
    """

    move: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)


def begin(session: Session, ticket: Ticket) -> bool:
    """Insert a new ticket; False when one with its command or its number is there already, also one
    that was just committed.
    """
    values = {name: getattr(ticket, name) for name in FIELDS}
    values |= {"area_path": list(ticket.area_path), "search": findable(ticket)}
    # Two filings under one command meet here: the second waits until the first has committed, and
    # then inserts nothing.
    return session.scalar(_BEGIN, values) is not None


def take(
    session: Session,
    call: Call,
    ticket: Ticket,
    step: Step,
    recorded_at: datetime,
    *,
    first: bool = True,
) -> Ticket:
    """The ticket after `step`, which is stored with its history and event. `first`: of those that
    the command makes.

    The caller holds the ticket's row lock.
    """
    after = ticket.changed({**step.changes, "changed_at": call.occurred_at})
    values = {
        name: getattr(after, name) for name in (*step.changes, "version", "sequence", "changed_at")
    }
    if "title" in step.changes:
        values["search"] = findable(after)
    # First, for by its history the wall knows what this command may still see when the step takes
    # it out of the caller's reach.
    note(session, call, ticket, after, step, recorded_at=recorded_at, first=first)
    session.execute(update(TICKETS).where(TICKETS.c.id == ticket.id).values(values))
    return after


def note(
    session: Session,
    call: Call,
    before: Ticket | None,
    after: Ticket,
    step: Step,
    *,
    recorded_at: datetime,
    first: bool = True,
) -> None:
    """Write the history row, the figure and the event of a step that led from `before` (None: it
    was filed) to `after`.
    """
    row = _entry(call, before, after, step, recorded_at)
    row["command_id"] = call.command_id if first else None
    with gathered(session, as_one=True):
        gathering.insert(session, HISTORY, row)
        if before is None:
            figure_rows.begin(session, after)
        else:
            figure_rows.follow(session, row)
        events.publish(
            session,
            call,
            step.move,
            after,
            before=before.department if before else None,
            recorded_at=recorded_at,
            own=step.event,
        )
    log.info(
        "ticket_recorded",
        ticket_id=after.id,
        move=step.move,
        state=after.state,
        sequence=after.sequence,
        request_id=call.request_id,
    )


def _entry(
    call: Call, before: Ticket | None, after: Ticket, step: Step, recorded_at: datetime
) -> dict[str, Any]:
    """The row of history, but for the command."""
    return {
        "ticket": after.id,
        "sequence": after.sequence,
        "move": step.move,
        "event": events.name_of(step.move),
        "from_state": before.state if before else None,
        "to_state": after.state,
        "version": after.version,
        "department": after.department,
        "assignee": after.assignee,
        "actor": call.actor.id,
        "actor_kind": call.actor.kind,
        "occurred_at": call.occurred_at,
        "recorded_at": recorded_at,
        "reason": step.reason,
        "details": dict(step.details),
    }


def findable(ticket: Ticket) -> str:
    """What the ticket is found by, in words."""
    return texts.findable(ticket.title, ticket.description)


def next_number(session: Session, at: datetime) -> str:
    """A number of the local day of `at` that nobody else gets, unless a million were given since
    that day (see numbers.number).
    """
    day = numbers.day_of(at)
    drawn, base = session.execute(_DRAW, {"day": day}).one()
    if base is None:
        # The first of a day says where it starts; those who come at the same moment wait for it
        # here, once a day.
        first = insert(NUMBER_DAYS).values(day=day, base=drawn).on_conflict_do_nothing()
        session.execute(first)
        drawn, base = session.execute(_DRAW, {"day": day}).one()
    return numbers.number(day, drawn, base)
