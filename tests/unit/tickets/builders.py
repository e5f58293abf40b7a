"""Callers and tickets for tests, as the policy table and a database would make them."""

from datetime import UTC, datetime
from typing import Any

from chassis.call import Actor, Call
from chassis.ids import new_id
from services.gateway.policy import Role, grants_for
from services.tickets.lifecycle import State
from services.tickets.ticket import Ticket

COMMUNITY = "340603008002"
GRID = f"{COMMUNITY}.e1.g1"
BUILDING = f"{GRID}.b3"
PATH = ("340603000000", "340603008000", COMMUNITY, f"{COMMUNITY}.e1", GRID, BUILDING)
NOON = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)


def person(*roles: Role, id: str | None = None, **call: Any) -> Call:
    """A call of somebody with these duties, who is a resident besides."""
    actor = Actor(id or str(new_id()), "person")
    return Call(actor=actor, grants=grants_for([Role("resident"), *roles]), **call)


def resident(**call: Any) -> Call:
    return person(**call)


def clerk(area: str = COMMUNITY, **call: Any) -> Call:
    return person(Role("clerk", area=area), **call)


def secretary(area: str = COMMUNITY, **call: Any) -> Call:
    return person(Role("secretary", area=area), **call)


def grid_worker(area: str = GRID, **call: Any) -> Call:
    return person(Role("grid_worker", area=area), **call)


def building_chief(area: str = BUILDING, **call: Any) -> Call:
    return person(Role("building_chief", area=area), **call)


def department_clerk(department: str = "water", **call: Any) -> Call:
    return person(Role("department_clerk", department=department), **call)


def anonymous(**call: Any) -> Call:
    return Call(grants=grants_for([Role("anonymous")]), **call)


def ticket(state: State | str = State.FILED, **values: Any) -> Ticket:
    """A private ticket in the building, filed at noon by nobody we know."""
    defaults: dict[str, Any] = {
        "id": str(new_id()),
        "number": "20261101-000001",
        "kind": "request",
        "command_id": None,
        "version": 1,
        "sequence": 1,
        "category": "water.no_supply",
        "title": None,
        "description": "三楼没有水",
        "area": BUILDING,
        "area_path": PATH,
        "place": "340603.008.002.e1.g1",
        "address": None,
        "latitude": None,
        "longitude": None,
        "channel": "page",
        "visibility": "private",
        "priority": "normal",
        "reporter": None,
        "on_behalf_of": None,
        "filed_by": None,
        "filed_at": NOON,
        "recorded_at": NOON,
        "changed_at": NOON,
    }
    return Ticket(**{**defaults, "state": State(state), **values})
