"""What all moves of a ticket share: lock it, know a repeated command, check the caller, take the
steps, answer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call
from services.tickets import access, moments, queries, record, rows
from services.tickets.record import Step
from services.tickets.ticket import Ticket

Command = Mapping[str, Any]
Steps = Callable[[Call, Ticket], Iterable[Step]]


def make(session: Session, call: Call, move: str, command: Command, steps: Steps) -> dict[str, Any]:
    """Make `move` on the ticket `command["id"]`, in the steps that `steps` tells of it, and return
    it as it stands then.

    A repeated command changes nothing. Raises what `access.check_move` raises, and Invalid for an
    impossible time.
    """
    ticket = rows.locked(session, command["id"])
    if not rows.made(session, call, ticket):
        now = clock.now()
        call = dated(call, now, ticket.changed_at)
        access.check_move(call, ticket, move, command["if_match"], call.occurred_at)
        ticket = take(session, call, ticket, steps(call, ticket), now)
    return queries.answer(session, call, ticket)


def take(
    session: Session,
    call: Call,
    ticket: Ticket,
    steps: Iterable[Step],
    now: datetime,
    *,
    first: bool = True,
) -> Ticket:
    """The ticket after these steps of one command, whose id stays with its `first` one."""
    for step in steps:
        ticket = record.take(session, call, ticket, step, now, first=first)
        first = False
    return ticket


def dated(call: Call, now: datetime, last: datetime | None) -> Call:
    """The call with the time at which what it asks for counts (see moments.moment)."""
    chosen = any("import" in grant.may for grant in call.grants)
    return replace(call, occurred_at=moments.moment(call.occurred_at, now, last, chosen=chosen))
