"""Every cell of the permission table, role × operation × reach, at the function that decides it in
the service that owns the thing. Made from the table: what is added to it is tested by that.
"""

import inspect
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from chassis.call import Call
from chassis.errors import Forbidden, NotFound, ServiceError, Unauthenticated
from services.gateway import exchange
from services.gateway.authentication import Caller
from services.gateway.feed_rules import Facts, Selection, tree_key
from services.gateway.operation import PUBLIC, SIGNED_IN
from services.gateway.policy import OPERATIONS, REACHES, TABLE, Role
from services.gateway.service import GatewayService
from services.notifications import access as notifications
from services.residents import reach as residents
from services.tickets import access as tickets
from services.tickets.lifecycle import State
from services.tickets.ticket import Ticket
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY

ME, SOMEBODY = str(uuid4()), str(uuid4())
INSIDE, OUTSIDE = f"{COMMUNITY}.e1.g1.b3", "340603008099.e1.g1.b3"
OUTSIDE_PATH = ("340603000000", "340603008000", "340603008099", OUTSIDE)

by_role = pytest.mark.parametrize("role", TABLE)


def caller(role: str) -> Caller:
    """Somebody with that role and no other, for the community and the water company."""
    held = [Role(role, area=COMMUNITY, department="water")]
    return Caller("anonymous" if role == "anonymous" else "person", _id(role), held)


def call_of(role: str) -> Call:
    return Call(actor=caller(role).actor(), grants=caller(role).grants)


def _id(role: str) -> str | None:
    return None if role == "anonymous" else ME


def granted(role: str, operation: str, reach: str) -> bool:
    """What the table says of a thing that lies in this reach and in no other."""
    return any(operation in TABLE[role].get(held, frozenset()) for held in (reach, "any"))


def ticket_in(reach: str) -> Ticket:
    """A ticket that lies in this reach of the caller and in no other."""
    facts: dict[str, dict[str, object]] = {
        "own": {"reporter": ME},
        "holder": {"assignee": ME},
        "public": {"visibility": "public"},
        "area": {"area": INSIDE, "area_path": builders.PATH},
        "department": {"department": "water"},
    }
    elsewhere = {"area": OUTSIDE, "area_path": OUTSIDE_PATH, "department": "roads"}
    facts_here = facts.get(reach, {})
    return builders.ticket(State.IN_PROGRESS, **{**elsewhere, "reporter": SOMEBODY, **facts_here})


ON_TICKETS = [
    name for name in OPERATIONS if "." not in name and not name.startswith(("file", "import"))
]


@by_role
@pytest.mark.parametrize("operation", ON_TICKETS)
def test_of_a_ticket(role: str, operation: str) -> None:
    call = call_of(role)
    for reach in REACHES:
        if reach == "own" and role == "anonymous":
            continue  # Nobody's own.
        ticket, may = ticket_in(reach), granted(role, operation, reach)

        assert (operation in tickets.allowed(call, ticket)) is may, reach
        sees = granted(role, "read", reach)
        expected = NotFound if not sees else None if may else Forbidden
        assert outcome(lambda: tickets.check_operation(call, ticket, operation)) is expected  # noqa: B023


@by_role
@pytest.mark.parametrize("operation", ["file", "file_on_behalf"])
def test_of_filing(role: str, operation: str) -> None:
    call = call_of(role)
    inside, outside = (tickets.filing(call, path) for path in (builders.PATH, OUTSIDE_PATH))

    everywhere = granted(role, operation, "any") or granted(role, operation, "own")
    assert (operation in outside) is everywhere
    assert (operation in inside) is (everywhere or granted(role, operation, "area"))


Lies = Callable[[Call, str], residents.Holds]


def _place(reach: str) -> str:
    return INSIDE if reach == "area" else OUTSIDE


def _whom(reach: str) -> UUID:
    return UUID(ME if reach == "own" else SOMEBODY)


def _serves(reach: str) -> str:
    return "water" if reach == "department" else "roads"


# A thing of the registry that lies in one reach of the caller, by the noun of its operations.
IN_REGISTRY: dict[str, Lies] = {
    "areas": lambda _call, reach: residents.of_area(_place(reach)),
    "departments": lambda _call, reach: residents.of_department(_serves(reach)),
    "residents": lambda call, reach: residents.of_resident(call, _whom(reach), _place(reach)),
    "households": lambda _call, reach: residents.of_household(_place(reach), own=reach == "own"),
    "duties": lambda call, reach: residents.of_duty(
        call, _whom(reach), _place(reach), _serves(reach)
    ),
}
ON_REGISTRY = [name for name in OPERATIONS if name.partition(".")[0] in IN_REGISTRY]


@by_role
@pytest.mark.parametrize("operation", ON_REGISTRY)
def test_of_what_the_registry_holds(role: str, operation: str) -> None:
    call, noun = call_of(role), operation.partition(".")[0]
    family = [name for name in OPERATIONS if name.startswith(f"{noun}.")]
    for reach in REACHES:
        holds = IN_REGISTRY[noun](call, reach)
        sees = any(granted(role, name, reach) for name in family)
        expected = NotFound if not sees else Forbidden
        if granted(role, operation, reach):
            expected = None

        assert outcome(lambda: residents.demand(call, holds, operation)) is expected, reach  # noqa: B023


@by_role
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name.startswith("inbox.")])
def test_of_an_inbox(role: str, operation: str) -> None:
    call = call_of(role)
    refused = outcome(lambda: notifications.inbox_owner(call, operation))

    assert (refused is None) is granted(role, operation, "own")


@by_role
def test_of_deliveries(role: str) -> None:
    refused = outcome(lambda: notifications.require_administrator(call_of(role)))

    assert (refused is None) is granted(role, "deliveries.read", "any")


@by_role
def test_of_events(role: str) -> None:
    selection = Selection.of(call_of(role))
    for reach in REACHES:
        facts = Facts(
            "linli.residents.duty_started.v1",
            "x",
            area=tree_key(_place(reach)),
            departments=frozenset({_serves(reach)}),
            owners=frozenset({str(_whom(reach))}),
            holders=frozenset({ME if reach == "holder" else SOMEBODY}),
            public=reach == "public",
        )

        assert selection.admits(facts) is granted(role, "events.read", reach), reach


DECLARED = {
    name: method.operation
    for name, method in inspect.getmembers(GatewayService)
    if hasattr(method, "operation")
}


@by_role
@pytest.mark.parametrize("name", sorted(DECLARED))
def test_of_every_operation_at_the_gateway(role: str, name: str) -> None:
    """Who may do a thing nowhere is turned away at the door, unless its owner has to hide it."""
    declared = DECLARED[name]
    nobody = role == "anonymous"
    may = declared.policy == PUBLIC or (declared.policy == SIGNED_IN and not nobody)
    may = may or any(granted(role, declared.policy, reach) for reach in REACHES)
    expected = None if may else Unauthenticated if nobody else Forbidden
    if declared.owner_decides and not nobody:
        expected = None

    assert outcome(lambda: exchange._authorise(declared, caller(role))) is expected


def outcome(decide: Callable[[], object]) -> type[ServiceError] | None:
    """Which of the three answers somebody gets: nothing of the kind, not yours, or all right."""
    try:
        decide()
    except NotFound:
        return NotFound
    except Forbidden:
        return Forbidden
    except Unauthenticated:
        return Unauthenticated
    return None
