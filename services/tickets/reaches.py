"""What `access.holds` says of one ticket, as conditions on all: where a caller's reaches lie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true

from chassis.call import Call
from services.tickets import lifecycle, rows, wall
from services.tickets.lifecycle import State
from services.tickets.models import TICKETS


def within(call: Call, operation: str) -> ColumnElement[bool]:
    """What `access.holds` says of one ticket, as a condition on all: the reaches in which the
    caller may do this.
    """
    return any_of(reached(call, operation))


@dataclass(frozen=True)
class Part:
    """Of all tickets those for which a condition `holds`; `ordered`: an index gives them in the
    order in which they were filed.
    """

    holds: ColumnElement[bool]
    ordered: bool = True


def any_of(parts: Sequence[Part]) -> ColumnElement[bool]:
    """Whether a ticket is in one of these."""
    return or_(false(), *(part.holds for part in parts))


def reached(call: Call, operation: str, *, but: str = "") -> list[Part]:
    """The parts of all tickets where the caller may do this, but in one reach."""
    reaches = (reach.partition(":") for reach in call.reaches(operation) if reach != but)
    return [
        part
        for name, _, code in reaches
        if name in _REACHES
        for part in _REACHES[name](call.actor.id, code)
    ]


def _own(actor: str | None) -> list[Part]:
    return _of_person(TICKETS.c.reporter, actor)


def _held(actor: str | None) -> list[Part]:
    if actor is None:
        return []
    accepted = and_(
        TICKETS.c.accepted_by == actor,
        TICKETS.c.state == State.ACCEPTED,
        TICKETS.c.send_backs < lifecycle.SEND_BACKS_UNTIL_SECRETARY,
    )
    # Before it is assigned nobody is the assignee, so that this needs no state. What somebody has
    # accepted and not assigned yet is little: no order is needed.
    return [*_of_person(TICKETS.c.assignee, actor), Part(accepted)]


def _of_person(column: Any, actor: str | None) -> list[Part]:
    """Where a column of UUIDs holds the actor, whose id may be of another kind: a department's."""
    return [Part(column == actor)] if actor is not None and rows.is_id(actor) else []


_REACHES: Mapping[str, Callable[[str | None, str], list[Part]]] = {
    "any": lambda _actor, _code: [Part(true(), ordered=False)],
    "public": lambda _actor, _code: [Part(TICKETS.c.visibility == "public")],
    "own": lambda actor, _code: _own(actor),
    "holder": lambda actor, _code: _held(actor),
    "area": lambda _actor, code: [Part(in_area(code), ordered=wall.community(code) == code)],
    "department": lambda _actor, code: [Part(TICKETS.c.department == code)],
}


def in_area(code: str) -> ColumnElement[bool]:
    """Whether a ticket lies in a place: by its community, or within a range of codes. Not by
    `area_path`, which has no index below the wall.
    """
    community = wall.community(code)
    if community == code:
        return TICKETS.c.community == code
    # What follows the code of a place is a point, or a digit of the tier below, which zeros pad.
    if community is not None:
        return TICKETS.c.area.between(code, f"{code}.{_LAST}")
    prefix = code.removesuffix("000").removesuffix("000")
    return TICKETS.c.area.between(prefix, f"{prefix}{_LAST}")


_LAST = "~"  # Comes after every character of a code.
