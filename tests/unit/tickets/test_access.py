"""Who may do what with one ticket, generated from the policy table and the states."""

from datetime import timedelta
from itertools import product

import pytest

from chassis.call import Actor, Call, Grant
from chassis.errors import Forbidden, PreconditionRequired, ServiceError, Stale
from services.gateway.policy import Role
from services.tickets import access, lifecycle
from services.tickets.errors import IllegalMove, UnknownTicket
from services.tickets.lifecycle import MOVES, VERSIONED, State
from services.tickets.ticket import Ticket
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY, GRID, NOON

REPORTER = builders.resident()
CLERK = builders.clerk()
SECRETARY = builders.secretary()
WORKER = builders.grid_worker()
WATER = builders.department_clerk("water")
ROADS = builders.department_clerk("roads")
NEIGHBOUR = builders.resident()
ELSEWHERE = builders.clerk("340603008099")
ADMINISTRATOR = builders.person(Role("administrator"))

STAFF = {"acceptance", "refusal", "assignment", "follow-up"}
HOLDERS = {"work", "send-back", "resolution"}
REPORTERS = {"follow-up", "reopening", "withdrawal"}


def with_water(state: State, **values: object) -> Ticket:
    """The reporter's ticket, accepted by the clerk, with the water department once assigned."""
    is_given = state not in (State.FILED, State.ACCEPTED, State.REFUSED)
    held = {"department": "water"} if is_given else {}
    facts = {"reporter": REPORTER.actor.id, "filed_by": REPORTER.actor.id}
    if state != State.FILED:
        facts["accepted_by"] = CLERK.actor.id
    if state == State.CLOSED:
        facts["closed_at"] = NOON
    return builders.ticket(state, **{**facts, **held, **values})


# What each may ever do to `with_water`, by the design's table of who.
EVER = {
    "reporter": (REPORTER, REPORTERS),
    "clerk": (CLERK, STAFF),
    "secretary": (SECRETARY, STAFF | {"reopening"}),
    "grid worker": (WORKER, {"acceptance"}),
    "water": (WATER, HOLDERS),
}
CELLS = [(who, state, move) for who, (state, move) in product(EVER, product(State, MOVES))]


@pytest.mark.parametrize(("who", "state", "move"), CELLS)
def test_who_may_make_which_move_when(who: str, state: State, move: str) -> None:
    call, ever = EVER[who]
    ticket = with_water(state)
    may = move in ever
    if who == "clerk" and state == State.ACCEPTED:
        may = may or move in HOLDERS  # Who accepted has it until it is assigned.
    if move == "assignment" and state == State.IN_PROGRESS:
        may = who == "secretary"
    is_offered = may and lifecycle.is_legal(state, move, ticket.closed_at, NOON)

    try:
        reader = access.reader(call, ticket)
    except UnknownTicket:
        assert who == "water"
        assert ticket.department is None
        return
    assert (move in access.moves(reader, ticket, NOON)) == is_offered
    assert (refusal_of(call, ticket, move) is None) == is_offered


def refusal_of(call: Call, ticket: Ticket, move: str) -> ServiceError | None:
    try:
        access.check_move(call, ticket, move, ticket.version, NOON)
    except ServiceError as refused:
        return refused
    return None


@pytest.mark.parametrize("call", [NEIGHBOUR, ELSEWHERE, ROADS, ADMINISTRATOR, builders.anonymous()])
@pytest.mark.parametrize("state", list(State))
def test_what_is_none_of_their_business_does_not_exist_for_them(call: Call, state: State) -> None:
    ticket = with_water(state)

    with pytest.raises(UnknownTicket):
        access.reader(call, ticket)
    assert isinstance(refusal_of(call, ticket, "withdrawal"), UnknownTicket)


@pytest.mark.parametrize("call", [NEIGHBOUR, ROADS, builders.anonymous()])
def test_everybody_reads_a_public_ticket_and_can_do_nothing_with_it(call: Call) -> None:
    ticket = with_water(State.RESOLVED, visibility="public")

    reader = access.reader(call, ticket)

    assert not reader.insider
    assert not reader.internal
    assert access.moves(reader, ticket, NOON) == []
    assert isinstance(refusal_of(call, ticket, "follow-up"), Forbidden)


@pytest.mark.parametrize("call", [REPORTER, CLERK, SECRETARY, WORKER, WATER])
def test_those_concerned_are_insiders_of_a_public_ticket(call: Call) -> None:
    assert access.reader(call, with_water(State.ASSIGNED, visibility="public")).insider


def test_staff_read_internal_comments_and_reporters_do_not() -> None:
    ticket = with_water(State.ASSIGNED)

    assert [access.reader(call, ticket).internal for call in (REPORTER, CLERK, WATER)] == [
        False,
        True,
        True,
    ]


def test_who_filed_it_for_somebody_does_not_answer_for_them() -> None:
    ticket = with_water(State.RESOLVED, filed_by=WORKER.actor.id)

    reader = access.reader(WORKER, ticket)

    assert REPORTERS.isdisjoint(access.moves(reader, ticket, NOON))
    assert isinstance(refusal_of(WORKER, ticket, "follow-up"), Forbidden)


def test_who_filed_it_for_nobody_known_does_not_answer_for_them_either() -> None:
    ticket = with_water(State.RESOLVED, reporter=None, filed_by=WORKER.actor.id)

    assert isinstance(refusal_of(WORKER, ticket, "follow-up"), Forbidden)


def test_whose_duty_has_ended_has_nothing_of_what_they_wrote_down() -> None:
    someone = builders.resident()
    written = {"filed_by": someone.actor.id, "on_behalf_of": someone.actor.id}

    for reporter in ("somebody", None):
        with pytest.raises(UnknownTicket):
            access.reader(someone, with_water(State.FILED, reporter=reporter, **written))


@pytest.mark.parametrize(
    ("call", "learns"),
    [(WATER, False), (NEIGHBOUR, False), (ADMINISTRATOR, False), (CLERK, True), (WORKER, True)],
)
@pytest.mark.parametrize("visibility", ["private", "public"])
def test_who_files_learns_ids_only_where_they_read_by_duty(
    call: Call, learns: bool, visibility: str
) -> None:
    given = builders.ticket(reporter=REPORTER.actor.id, visibility=visibility)

    filer = access.filer(call, given)

    assert (filer.insider, filer.for_whom) == (learns, learns)


@pytest.mark.parametrize(("call", "learns"), [(WATER, False), (CLERK, True)])
def test_for_whom_one_files_in_ones_own_name_is_told_to_those_who_read_it_by_duty(
    call: Call, learns: bool
) -> None:
    mine = builders.ticket(reporter=call.actor.id, on_behalf_of=REPORTER.actor.id)

    for reader in (access.filer(call, mine), access.reader(call, mine), access.mover(call, mine)):
        assert (reader.insider, reader.for_whom) == (True, learns)


def test_a_secretary_who_filed_it_still_reopens_it_as_secretary() -> None:
    ticket = with_water(State.CLOSED, filed_by=SECRETARY.actor.id)

    assert refusal_of(SECRETARY, ticket, "reopening") is None


@pytest.mark.parametrize("state", [State.ACCEPTED, State.ASSIGNED, State.IN_PROGRESS])
def test_after_the_second_send_back_only_the_secretary_assigns(state: State) -> None:
    ticket = with_water(state, send_backs=2)

    refused = refusal_of(CLERK, ticket, "assignment")

    assert isinstance(refused, Forbidden)
    assert refused.params == {"operation": "override"}
    assert refusal_of(SECRETARY, ticket, "assignment") is None


def test_after_the_second_send_back_the_secretary_has_it_and_no_longer_who_accepted_it() -> None:
    ticket = with_water(State.ACCEPTED, send_backs=2)

    assert access.holder(ticket) == ("secretary", None)
    assert refusal_of(SECRETARY, ticket, "resolution") is None
    assert isinstance(refusal_of(CLERK, ticket, "resolution"), Forbidden)


def test_the_first_send_back_leaves_it_with_who_accepted_it() -> None:
    ticket = with_water(State.ACCEPTED, send_backs=1)

    assert access.holder(ticket) == ("person", CLERK.actor.id)
    assert refusal_of(CLERK, ticket, "resolution") is None


def test_the_assignee_has_it_and_so_has_any_clerk_of_the_department() -> None:
    colleague = builders.department_clerk("water")
    ticket = with_water(State.ASSIGNED, assignee=WATER.actor.id)

    assert access.holder(ticket) == ("person", WATER.actor.id)
    assert refusal_of(WATER, ticket, "work") is None
    assert refusal_of(colleague, ticket, "work") is None


def test_a_building_chief_does_what_is_assigned_to_them_and_only_that() -> None:
    chief = builders.building_chief()
    theirs = builders.ticket("assigned", assignee=chief.actor.id)

    assert refusal_of(chief, theirs, "work") is None
    assert isinstance(refusal_of(chief, with_water(State.ASSIGNED), "work"), Forbidden)


def test_nobody_has_what_was_only_filed() -> None:
    assert access.holder(builders.ticket("filed")) is None


@pytest.mark.parametrize("move", sorted(VERSIONED))
def test_marked_moves_want_the_version_before_anything_else(move: str) -> None:
    state = next(state for state in State if lifecycle.is_legal(state, move, None, NOON))
    call = CLERK if move in STAFF else WATER
    ticket = with_water(state) if move in STAFF else with_water(State.ASSIGNED)

    with pytest.raises(PreconditionRequired):
        access.check_move(call, ticket, move, None, NOON)
    with pytest.raises(Stale) as stale:
        access.check_move(call, ticket, move, ticket.version + 1, NOON)
    assert stale.value.params == {"version": ticket.version}
    access.check_move(call, ticket, move, ticket.version, NOON)


@pytest.mark.parametrize("move", sorted(REPORTERS))
def test_reporters_need_no_version_but_it_counts_when_given(move: str) -> None:
    ticket = with_water(State.FILED if move == "withdrawal" else State.RESOLVED)

    access.check_move(REPORTER, ticket, move, None, NOON)
    with pytest.raises(Stale):
        access.check_move(REPORTER, ticket, move, ticket.version - 1, NOON)


def test_a_stale_illegal_move_is_stale_first_for_its_caller_has_yet_to_see_the_state() -> None:
    with pytest.raises(Stale):
        access.check_move(CLERK, with_water(State.REFUSED), "acceptance", 7, NOON)


def test_a_move_that_no_state_allows_them_is_forbidden_even_when_illegal() -> None:
    assert isinstance(refusal_of(REPORTER, with_water(State.REFUSED), "assignment"), Forbidden)


def test_holders_moves_on_what_nobody_has_are_illegal() -> None:
    refused = refusal_of(CLERK, with_water(State.FILED), "work")

    assert isinstance(refused, IllegalMove)
    assert refused.params == {"from": "filed", "move": "work"}


def test_reopening_is_offered_for_thirty_days() -> None:
    ticket = with_water(State.CLOSED)
    reader = access.reader(REPORTER, ticket)

    assert access.moves(reader, ticket, NOON + timedelta(days=30)) == ["reopening"]
    assert access.moves(reader, ticket, NOON + timedelta(days=30, seconds=1)) == []


@pytest.mark.parametrize(
    ("reach", "holds"),
    [
        ("any", True),
        ("own", True),
        ("public", False),
        ("holder", False),
        (f"area:{GRID}", True),
        (f"area:{COMMUNITY}", True),
        ("area:340603008002.e1.g", False),
        ("area:", False),
        ("department:water", True),
        ("department:roads", False),
        ("department:", False),
        ("household:7", False),
        ("", False),
    ],
)
def test_reaches(reach: str, holds: bool) -> None:
    ticket = builders.ticket("assigned", reporter="somebody", department="water")

    assert access.holds(reach, ticket, "somebody") is holds


@pytest.mark.parametrize("reach", ["own", "holder", "department:"])
def test_nobody_in_particular_has_nothing_of_their_own(reach: str) -> None:
    assert not access.holds(reach, builders.ticket("accepted"), None)


def test_a_system_without_grants_may_do_nothing() -> None:
    system = Call(actor=Actor("notifications", "system"))

    with pytest.raises(UnknownTicket):
        access.reader(system, with_water(State.FILED))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (REPORTER, {"file"}),
        (builders.anonymous(), {"file", "file_on_behalf"}),
        (CLERK, {"file", "file_on_behalf", "acceptance"}),
        (ELSEWHERE, {"file"}),
        (WORKER, {"file", "file_on_behalf", "acceptance"}),
        (builders.building_chief(), {"file", "file_on_behalf"}),
    ],
)
def test_what_a_filing_may_do(call: Call, expected: set[str]) -> None:
    may = access.filing(call, builders.PATH)

    assert may & {"file", "file_on_behalf", "acceptance"} == expected


def test_a_grant_of_reading_alone_changes_nothing() -> None:
    auditor = Call(actor=Actor("a", "person"), grants=(Grant("any", frozenset({"read"})),))
    ticket = with_water(State.ASSIGNED)

    assert access.moves(access.reader(auditor, ticket), ticket, NOON) == []
