"""The moves: what each changes, tells and refuses."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from chassis import clock
from chassis.call import Actor, Call
from chassis.errors import Forbidden, Invalid, PreconditionRequired, Stale
from services.gateway.policy import Role, grants_for
from services.tickets.errors import IllegalMove, UnknownTicket
from services.tickets.models import TicketRow
from tests.integration.tickets.world import World
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY

PLACE = "340603.008.002.e1.g1"
REPORTER = builders.resident()
CLERK = builders.clerk()
SECRETARY = builders.secretary()
WATER = builders.department_clerk("water")
ROADS = builders.department_clerk("roads")
Json = dict[str, Any]


@pytest.fixture
def filed(world: World) -> Json:
    """The reporter's request."""
    return world.file(REPORTER)


@pytest.fixture
def accepted(world: World, filed: Json) -> Json:
    """The same, accepted by the clerk."""
    ticket: Json = world.act(CLERK, "accept", filed)
    return ticket


@pytest.fixture
def assigned(world: World, accepted: Json) -> Json:
    """The same, with the water department."""
    ticket: Json = world.act(CLERK, "assign", accepted, department="water", note="先打电话")
    return ticket


@pytest.fixture
def started(world: World, assigned: Json) -> Json:
    """The same, being worked on."""
    ticket: Json = world.act(WATER, "start_work", assigned)
    return ticket


@pytest.fixture
def resolved(world: World, started: Json) -> Json:
    """The same, resolved."""
    ticket: Json = world.act(WATER, "resolve", started, summary="已更换水管")
    return ticket


def moved(world: World, ticket: Json) -> list[tuple[str | None, str]]:
    return [(row.from_state, row.to_state) for row in world.history(ticket)]


def test_acceptance_makes_the_clerk_responsible(world: World, accepted: Json) -> None:
    assert accepted["state"] == "accepted"
    assert (accepted["version"], accepted["sequence"]) == (2, 2)
    assert accepted["responsible"] == CLERK.actor.id
    assert accepted["accepted_at"]
    assert world.messages(accepted)[-1].routing_key == f"ticket.accepted.v1.none.{PLACE}"
    assert accepted["moves"] == ["refusal", "assignment", "resolution"]


def test_refusal_keeps_its_reason_for_the_reporter(world: World, filed: Json) -> None:
    world.act(CLERK, "refuse", filed, reason="不属于社区", refer_to="12345")

    seen = world.act(REPORTER, "get_ticket", filed)

    assert seen["state"] == "refused"
    assert seen["refusal"] == {"reason": "不属于社区", "refer_to": "12345"}
    assert seen["moves"] == []
    assert "不属于社区" not in world.messages(filed)[-1].body


def test_assignment_goes_to_the_department_while_the_assigner_stays_responsible(
    world: World, assigned: Json
) -> None:
    assert (assigned["state"], assigned["department"]) == ("assigned", "water")
    assert assigned["department_name"] == "水务局"
    assert assigned["holder"] == {"kind": "department", "id": "water"}
    assert assigned["responsible"] == CLERK.actor.id
    message = world.messages(assigned)[-1]
    assert message.routing_key == f"ticket.assigned.v1.water.{PLACE}"
    assert message.cc == []
    assert "先打电话" not in message.body


def test_reassignment_tells_the_gaining_and_the_losing_department(
    world: World, assigned: Json
) -> None:
    world.act(CLERK, "assign", assigned, department="roads")

    message, event = world.messages(assigned)[-1], world.events(assigned)[-1]
    assert message.routing_key == f"ticket.assigned.v1.roads.{PLACE}"
    assert message.cc == [f"ticket.assigned.v1.water.{PLACE}"]
    assert event.data["department"] == "roads"
    assert event.data["previous_department"] == "water"
    assert event.data["departments"] == ["roads", "water"]


def test_after_reassignment_the_old_department_knows_nothing_of_it(
    world: World, assigned: Json
) -> None:
    world.act(CLERK, "assign", assigned, department="roads")

    assert world.act(ROADS, "get_ticket", assigned)["moves"] == ["work", "send-back", "resolution"]
    with pytest.raises(UnknownTicket):
        world.act(WATER, "get_ticket", assigned)
    with pytest.raises(UnknownTicket):
        world.act(WATER, "start_work", assigned)


def test_work_makes_the_worker_responsible(world: World, started: Json) -> None:
    assert started["state"] == "in_progress"
    assert started["assignee"] == started["responsible"] == WATER.actor.id
    assert started["holder"] == {"kind": "person", "id": WATER.actor.id}
    assert world.events(started)[-1].type == "linli.tickets.ticket_started.v1"


def test_a_department_that_works_by_its_own_key_is_responsible(
    world: World, assigned: Json
) -> None:
    key = Call(
        actor=Actor("water", "department"),
        grants=grants_for([Role("department_clerk", department="water")]),
    )

    started = world.act(key, "start_work", assigned)

    assert (started["assignee"], started["responsible"]) == (None, "water")
    assert world.act(key, "list_tickets")["items"][0]["id"] == assigned["id"]


def test_only_the_secretary_moves_what_is_being_worked_on(world: World, started: Json) -> None:
    with pytest.raises(Forbidden):
        world.act(CLERK, "assign", started, department="roads")

    ticket = world.act(SECRETARY, "assign", started, department="roads")

    assert (ticket["state"], ticket["department"], ticket["assignee"]) == (
        "assigned",
        "roads",
        None,
    )
    assert ticket["started_at"] is None
    assert ticket["responsible"] == SECRETARY.actor.id


@pytest.mark.parametrize("starts", [False, True])
def test_sending_back_returns_it_to_who_accepted_it(
    world: World, assigned: Json, starts: bool
) -> None:
    if starts:
        world.act(WATER, "start_work", assigned)

    answer = world.act(WATER, "send_back", assigned, reason="属于市政")

    assert (answer["state"], answer["department"], answer["assignee"]) == ("accepted", None, None)
    assert answer["holder"] == {"kind": "person", "id": CLERK.actor.id}
    assert answer["responsible"] == CLERK.actor.id
    assert answer["send_backs"] == 1
    message, event = world.messages(assigned)[-1], world.events(assigned)[-1]
    assert message.routing_key == f"ticket.sent_back.v1.water.{PLACE}"
    assert event.data["previous_department"] == "water"
    assert event.data["departments"] == ["water"]
    assert event.data["department"] is None


def test_after_the_second_send_back_the_secretary_has_it_and_alone_may_assign_it(
    world: World, assigned: Json
) -> None:
    world.act(WATER, "send_back", assigned, reason="属于市政")
    world.act(CLERK, "assign", assigned, department="roads")
    ticket = world.act(ROADS, "send_back", assigned, reason="也不是我们")

    with pytest.raises(Forbidden):
        world.act(CLERK, "assign", ticket, department="housing")
    assert world.act(CLERK, "get_ticket", ticket)["moves"] == ["refusal"]
    seen = world.act(SECRETARY, "get_ticket", ticket)
    assert seen["holder"] == {"kind": "secretary", "id": None}
    assert seen["moves"] == ["refusal", "assignment", "resolution"]
    assert world.act(SECRETARY, "assign", ticket, department="housing")["state"] == "assigned"


def test_resolution_says_what_was_done_and_asks_the_reporter(world: World, resolved: Json) -> None:
    seen = world.act(REPORTER, "get_ticket", resolved)

    assert (seen["state"], seen["resolution"]) == ("resolved", "已更换水管")
    assert seen["moves"] == ["follow-up", "reopening"]
    assert "已更换" not in world.messages(resolved)[-1].body


def test_the_community_may_resolve_what_it_accepted_without_assigning_it(
    world: World, accepted: Json
) -> None:
    ticket = world.act(CLERK, "resolve", accepted, summary="电话中解决")

    assert (ticket["state"], ticket["department"]) == ("resolved", None)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"solved": "yes", "satisfied": "yes", "contacted": "yes"}, "closed"),
        ({"solved": "partly", "satisfied": "no"}, "closed"),
        ({"solved": "partly", "satisfied": "no", "reopen": True}, "assigned"),
        ({"solved": "no", "satisfied": "no", "reason": "还在漏"}, "assigned"),
    ],
)
def test_the_reporter_s_answer_closes_or_reopens(
    world: World, resolved: Json, answer: Json, state: str
) -> None:
    ticket = world.act(REPORTER, "rate", resolved, **answer)

    assert ticket["state"] == state
    assert ticket["follow_up"]["solved"] == answer["solved"]
    last = "ticket_closed" if state == "closed" else "ticket_reopened"
    assert [row.event for row in world.history(ticket)][-2:] == ["ticket_rated", last]
    assert [event.type.split(".")[2] for event in world.events(ticket)][-2:] == [
        "ticket_rated",
        last,
    ]
    assert world.events(ticket)[-2].data["solved"] == answer["solved"]
    assert "还在漏" not in "".join(message.body for message in world.messages(ticket))


def test_what_is_not_solved_goes_to_the_same_unit_and_is_counted(
    world: World, resolved: Json
) -> None:
    ticket = world.act(REPORTER, "rate", resolved, solved="no", satisfied="no")

    assert (ticket["department"], ticket["assignee"]) == ("water", WATER.actor.id)
    assert ticket["reopenings"] == 1
    assert ticket["resolution"] is None
    assert ticket["resolved_at"] is None
    assert world.events(ticket)[-1].data["reopenings"] == 1
    assert world.messages(ticket)[-1].routing_key == f"ticket.reopened.v1.water.{PLACE}"
    assert world.act(WATER, "start_work", ticket)["state"] == "in_progress"


def test_what_is_solved_is_not_reopened_in_the_same_breath(world: World, resolved: Json) -> None:
    with pytest.raises(Exception, match="reopen"):
        world.act(REPORTER, "rate", resolved, solved="yes", satisfied="yes", reopen=True)


@pytest.mark.parametrize("call", [builders.grid_worker(), WATER])
def test_nobody_else_answers_for_the_reporter(world: World, resolved: Json, call: Call) -> None:
    with pytest.raises(Forbidden):
        world.act(call, "rate", resolved, solved="yes", satisfied="yes")


@pytest.mark.parametrize("call", [REPORTER, SECRETARY])
def test_the_reporter_and_the_secretary_reopen_what_was_closed(
    world: World, resolved: Json, call: Call
) -> None:
    world.act(REPORTER, "rate", resolved, solved="yes", satisfied="yes")

    ticket = world.act(call, "reopen", resolved, reason="又漏了")

    assert (ticket["state"], ticket["department"]) == ("assigned", "water")
    assert ticket["closed_at"] is None
    assert world.history(ticket)[-1].reason == "又漏了"


def test_what_the_community_resolved_itself_goes_back_to_who_resolved_it(
    world: World, accepted: Json
) -> None:
    world.act(CLERK, "resolve", accepted, summary="电话中解决")

    ticket = world.act(REPORTER, "reopen", accepted, reason="没有解决")

    assert (ticket["department"], ticket["assignee"]) == (None, CLERK.actor.id)
    assert world.act(CLERK, "start_work", ticket)["state"] == "in_progress"


def test_what_was_closed_long_ago_stays_closed(world: World, resolved: Json) -> None:
    world.act(REPORTER, "rate", resolved, solved="yes", satisfied="yes")
    world.session.execute(
        update(TicketRow)
        .where(TicketRow.id == resolved["id"])
        .values(closed_at=clock.now() - timedelta(days=31))
    )

    with pytest.raises(IllegalMove) as refused:
        world.act(REPORTER, "reopen", resolved, reason="又漏了")

    assert refused.value.params == {"from": "closed", "move": "reopening"}
    assert world.act(REPORTER, "get_ticket", resolved)["moves"] == []


@pytest.mark.parametrize("state", ["filed", "accepted", "assigned", "started"])
def test_the_reporter_takes_back_what_is_open(
    world: World, state: str, request: pytest.FixtureRequest
) -> None:
    ticket = request.getfixturevalue(state)

    ticket = world.act(REPORTER, "withdraw", ticket, reason="自己修好了")

    assert ticket["state"] == "withdrawn"
    department = "none" if state in ("filed", "accepted") else "water"
    assert world.messages(ticket)[-1].routing_key == f"ticket.withdrawn.v1.{department}.{PLACE}"


@pytest.mark.parametrize("call", [CLERK, SECRETARY])
def test_nobody_else_takes_it_back(world: World, filed: Json, call: Call) -> None:
    with pytest.raises(Forbidden):
        world.act(call, "withdraw", filed, reason="重复")


def test_an_illegal_move_says_from_where_which(world: World, resolved: Json) -> None:
    with pytest.raises(IllegalMove) as refused:
        world.act(WATER, "start_work", resolved)

    assert refused.value.params == {"from": "resolved", "move": "work"}
    assert moved(world, resolved)[-1] == ("in_progress", "resolved")


def test_a_stale_version_is_refused_with_the_current_one(world: World, accepted: Json) -> None:
    with pytest.raises(Stale) as stale:
        world.act(CLERK, "assign", accepted, department="water", if_match=1)

    assert stale.value.params == {"version": 2}
    with pytest.raises(PreconditionRequired):
        world.act(CLERK, "assign", accepted, department="water", if_match=None)


def test_a_comment_does_not_make_a_version_stale(world: World, accepted: Json) -> None:
    world.act(REPORTER, "comment", accepted, text="晚上在家")

    ticket = world.act(CLERK, "assign", accepted, department="water", if_match=accepted["version"])

    assert ticket["sequence"] == accepted["sequence"] + 2


def test_a_repeated_command_changes_nothing_and_answers_the_same(
    world: World, assigned: Json
) -> None:
    call = builders.department_clerk("water", command_id="once")

    first = world.act(call, "send_back", assigned, reason="属于市政")
    again = world.act(call, "send_back", assigned, reason="属于市政", if_match=99)

    assert again == first
    assert len(world.history(assigned)) == 4
    assert len(world.events(assigned)) == 4


def test_a_repeated_command_answers_with_the_ticket_as_it_stands(world: World, filed: Json) -> None:
    call = builders.clerk(command_id="once")
    world.act(call, "accept", filed)
    world.act(CLERK, "refuse", filed, reason="重复")

    assert world.act(call, "accept", filed)["state"] == "refused"


def test_one_command_of_two_steps_is_known_when_it_comes_again(
    world: World, resolved: Json
) -> None:
    call = Call(actor=REPORTER.actor, grants=REPORTER.grants, command_id="rated")

    first = world.act(call, "rate", resolved, solved="no", satisfied="no")

    assert world.act(call, "rate", resolved, solved="no", satisfied="no") == first
    assert first["reopenings"] == 1


def test_a_ticket_is_known_by_its_number_too(world: World, filed: Json) -> None:
    ticket = world.act(CLERK, "accept", {"id": filed["number"]}, if_match=1)

    assert ticket["id"] == filed["id"]


@pytest.mark.parametrize(
    "reference",
    [
        "20200101-000001",
        "00000000-0000-7000-8000-000000000000",
        "urn:uuid:00000000-0000-7000-8000-000000000000",
        "{00000000-0000-7000-8000-000000000000}",
        "nonsense",
        "' OR 1=1 --",
        "漏水",
        "\x00",
    ],
)
def test_an_unknown_ticket_is_not_found(world: World, reference: str) -> None:
    with pytest.raises(UnknownTicket):
        world.act(CLERK, "get_ticket", id=reference)
    with pytest.raises(UnknownTicket):
        world.act(CLERK, "accept", {"id": reference}, if_match=1)


def test_an_importer_s_moves_keep_their_order(world: World, filed: Json) -> None:
    importer = builders.person(Role("clerk", area=COMMUNITY), Role("machine"))
    before = Call(importer.actor, importer.grants, occurred_at=clock.now() - timedelta(days=1))

    with pytest.raises(Invalid) as refused:
        world.act_then(before, "accept", {"id": filed["id"], "if_match": 1})

    assert refused.value.errors[0]["code"] == "before_last_move"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"department": "tea"}, "unknown_department"),
        ({"department": "housing"}, "inactive_department"),
        ({"assignee": "00000000-0000-7000-8000-000000000000"}, "not_on_duty"),
    ],
)
def test_it_is_assigned_only_to_who_is_there(
    world: World, accepted: Json, body: Json, code: str
) -> None:
    world.department("housing", active=False, at=2)

    with pytest.raises(Invalid) as refused:
        world.act(CLERK, "assign", accepted, **body)

    assert refused.value.errors[0]["code"] == code


def test_a_person_on_duty_is_assigned_in_person(world: World, accepted: Json) -> None:
    chief = builders.building_chief()
    world.duty(chief, "building_chief", area=accepted["area"])

    ticket = world.act(CLERK, "assign", accepted, assignee=chief.actor.id)

    assert (ticket["department"], ticket["assignee"]) == (None, chief.actor.id)
    assert world.messages(ticket)[-1].routing_key == f"ticket.assigned.v1.none.{PLACE}"
    assert world.act(chief, "start_work", ticket)["responsible"] == chief.actor.id


def test_a_department_s_clerk_stands_for_the_department(world: World, accepted: Json) -> None:
    world.duty(WATER, "department_clerk", department="water")

    ticket = world.act(CLERK, "assign", accepted, assignee=WATER.actor.id)

    assert (ticket["department"], ticket["assignee"]) == ("water", WATER.actor.id)


def test_a_department_is_not_given_somebody_else_s_clerk(world: World, accepted: Json) -> None:
    world.duty(WATER, "department_clerk", department="water")

    with pytest.raises(Invalid) as refused:
        world.act(CLERK, "assign", accepted, department="roads", assignee=WATER.actor.id)

    assert refused.value.errors[0]["code"] == "not_of_department"


def test_whose_duty_is_over_is_not_assigned(world: World, accepted: Json) -> None:
    yesterday = clock.local(clock.now()).date() - timedelta(days=1)
    world.duty(WATER, "department_clerk", department="water", today=-9, to=yesterday)

    with pytest.raises(Invalid):
        world.act(CLERK, "assign", accepted, assignee=WATER.actor.id)


def test_somebody_must_be_named(world: World, accepted: Json) -> None:
    with pytest.raises(Exception, match="department or an assignee"):
        world.act(CLERK, "assign", accepted, note="谁来？")
