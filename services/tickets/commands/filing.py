"""Filing a ticket: once per command, with a number, and accepted at once when who files it may
accept it.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call
from chassis.errors import Forbidden, Invalid, Unavailable
from chassis.ids import new_id
from services.tickets import access, projections, queries, record, rows
from services.tickets.categories import TREE
from services.tickets.commands import dispatch, moving
from services.tickets.commands.moving import Command
from services.tickets.lifecycle import State
from services.tickets.projections import Area
from services.tickets.record import Step
from services.tickets.ticket import Ticket

_TRIES = 5
_SAME = (
    "kind",
    "category",
    "title",
    "description",
    "attributes",
    "media_url",
    "address",
    "channel",
)


def file_ticket(session: Session, call: Call, filing: Command) -> dict[str, Any]:
    """Store a ticket with its first history row and event, and return it; a repeated command
    returns what the first one made.

    Raises Invalid (unknown_category, unknown_area, area_too_wide, an impossible time) and
    Forbidden.
    """
    now = clock.now()
    try:
        call, area, may = _checked(session, call, filing, now)
    except (Invalid, Forbidden):
        # Not so when the command came first.
        earlier = rows.filed_under(session, call.command_id)
        if earlier is None:
            raise
        return _again(session, call, earlier)
    draft = partial(_draft, call=call, filing=filing, area=area, may=may, now=now)
    ticket, is_new = _keep(session, call, draft)
    if not is_new:
        return _again(session, call, ticket)
    filed = Step("filing", details={"category": ticket.category})
    record.note(session, call, None, ticket, filed, recorded_at=now)
    # What grid workers and clerks file themselves has been accepted by filing it.
    accepted = [dispatch.acceptance(call)] if "acceptance" in may else []
    ticket = moving.take(session, call, ticket, accepted, now, first=False)
    return queries.filed(call, ticket, area.names)


def _again(session: Session, call: Call, ticket: Ticket) -> dict[str, Any]:
    return queries.filed(call, ticket, projections.names(session, [ticket]))


def may_file(session: Session, call: Call, filing: Command) -> dict[str, Any]:
    """Whether a filing would be taken, before anybody is made known for it: `{on_behalf}`, whether
    also in the name of somebody else. Raises what file_ticket raises, and stores nothing.
    """
    if rows.filed_under(session, call.command_id) is not None:
        return {"on_behalf": True}
    _, _, may = _checked(session, call, filing, clock.now())
    return {"on_behalf": "file_on_behalf" in may}


def _checked(
    session: Session, call: Call, filing: Command, now: datetime
) -> tuple[Call, Area, frozenset[str]]:
    """The call with the time at which it counts, the place, and what the caller may do there."""
    call = moving.dated(call, now, None)
    area = projections.area(session, filing["area"])
    may = access.filing(call, area.path)
    TREE.leaf(filing["category"])
    if may.isdisjoint({"file", "file_on_behalf"}):
        raise Forbidden(operation="file")
    others = {_resident(filing["reporter"]), _resident(filing["on_behalf_of"])}
    if others - {None, call.actor.id} and "file_on_behalf" not in may:
        raise Forbidden(operation="file_on_behalf")
    return call, area, may


def _keep(session: Session, call: Call, draft: Callable[[str], Ticket]) -> tuple[Ticket, bool]:
    """The ticket of this command, and whether it was stored just now. `draft` makes it from its
    number.
    """
    for _ in range(_TRIES):
        ticket = draft(record.next_number(session, call.occurred_at))
        if record.begin(session, ticket):
            return ticket, True
        winner = rows.filed_under(session, call.command_id)
        if winner is not None:
            return winner, False
    raise Unavailable(reason="numbers", retry_after=1)


def _draft(
    number: str, *, call: Call, filing: Command, area: Area, may: frozenset[str], now: datetime
) -> Ticket:
    location = filing["location"] or {"lat": None, "lon": None}
    return Ticket(
        **{name: filing[name] for name in _SAME},
        id=str(new_id()),
        number=number,
        command_id=call.command_id,
        state=State.FILED,
        version=1,
        sequence=1,
        area=area.code,
        area_path=area.path,
        place=area.routing,
        latitude=location["lat"],
        longitude=location["lon"],
        visibility=filing["visibility"] or TREE.leaf(filing["category"]).visibility,
        priority=filing["priority"] or _priority(filing["category"]),
        reporter=_resident(filing["reporter"]) or _self(call, may),
        on_behalf_of=_resident(filing["on_behalf_of"]),
        filed_by=call.actor.id,
        filed_at=call.occurred_at,
        recorded_at=now,
        changed_at=call.occurred_at,
    )


def _priority(category: str) -> str:
    return "urgent" if TREE.leaf(category).emergency else "normal"


def _resident(person: Command | None) -> str | None:
    return person["resident"] if person else None


def _self(call: Call, may: frozenset[str]) -> str | None:
    """Who files without naming a reporter speaks for themselves, unless it is their work to write
    down what others say.
    """
    is_staff = "acceptance" in may
    return call.actor.id if call.actor.kind == "person" and not is_staff else None
