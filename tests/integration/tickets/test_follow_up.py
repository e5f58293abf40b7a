"""Whoever has resolved a ticket's trouble asks: calls, answers given to them, and silence."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.call import Call, system_call
from chassis.errors import Forbidden, Invalid
from services.gateway.policy import Role
from services.tickets.commands import follow_up
from tests.integration.tickets.world import World, filing
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY

REPORTER = builders.resident()
CLERK = builders.clerk()
SECRETARY = builders.secretary()
IN_VAIN = {"solved": "unreachable", "satisfied": "no_answer"}
WEEK = timedelta(days=7)
Json = dict[str, Any]


@pytest.fixture
def resolved(world: World) -> Json:
    """The reporter's request, resolved by the clerk."""
    return resolve(world, REPORTER)


def resolve(world: World, reporter: Call, **values: Any) -> Json:
    ticket = world.file(reporter, **values)
    world.act(SECRETARY, "accept", ticket)
    done: Json = world.act(SECRETARY, "resolve", ticket, summary="修好了")
    return done


def silence(world: World, at: datetime) -> int:
    return follow_up.close_silent(world.session, system_call("tickets"), at, 100)


@pytest.mark.parametrize("caller", [CLERK, SECRETARY])
def test_a_call_in_vain_is_counted_and_leaves_the_ticket_resolved(
    world: World, resolved: Json, caller: Call
) -> None:
    world.act(caller, "rate", resolved, **IN_VAIN, reason="无人接听")
    ticket = world.act(caller, "rate", resolved, **IN_VAIN)

    assert (ticket["state"], ticket["call_attempts"]) == ("resolved", 2)
    assert ticket["follow_up"] is None
    assert ticket["answer_by"] == resolved["answer_by"]
    assert [row.move for row in world.history(ticket)][-2:] == ["follow-up", "follow-up"]
    event = world.events(ticket)[-1]
    assert event.type == "linli.tickets.ticket_rated.v1"
    assert (event.data["solved"], event.data["satisfied"]) == ("unreachable", "no_answer")
    assert "无人接听" not in "".join(message.body for message in world.messages(ticket))


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"solved": "yes", "satisfied": "yes", "contacted": "yes"}, "closed"),
        ({"solved": "yes", "satisfied": "no_answer"}, "closed"),
        ({"solved": "partly", "satisfied": "no_answer", "reopen": True}, "assigned"),
        ({"solved": "no", "satisfied": "no"}, "assigned"),
    ],
)
def test_what_is_answered_to_a_caller_closes_or_reopens(
    world: World, resolved: Json, answer: Json, state: str
) -> None:
    ticket = world.act(CLERK, "rate", resolved, **answer)

    assert ticket["state"] == state
    assert ticket["follow_up"]["satisfied"] == answer["satisfied"]
    row = next(row for row in world.history(ticket) if row.move == "follow-up")
    assert (row.details["called"], row.actor) == (True, CLERK.actor.id)


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [(IN_VAIN, "/solved"), ({"solved": "yes", "satisfied": "no_answer"}, "/satisfied")],
)
def test_a_reporter_cannot_say_that_they_were_not_reached(
    world: World, resolved: Json, answer: Json, pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        world.act(REPORTER, "rate", resolved, **answer)

    assert [(one["pointer"], one["code"]) for one in refused.value.errors] == [
        (pointer, "only_by_call")
    ]


@pytest.mark.parametrize(
    "more", [{"satisfied": "yes"}, {"contacted": "no"}, {"reopen": True}], ids=str
)
def test_who_was_not_reached_has_said_nothing_else(
    world: World, resolved: Json, more: Json
) -> None:
    with pytest.raises(Exception, match=next(iter(more))):
        world.act(CLERK, "rate", resolved, **{**IN_VAIN, **more})


def test_a_clerk_answers_for_themselves_about_their_own_request(world: World) -> None:
    own = world.file(CLERK, reporter={"resident": CLERK.actor.id})
    world.act(CLERK, "resolve", own, summary="修好了")

    with pytest.raises(Invalid):
        world.act(CLERK, "rate", own, **IN_VAIN)
    assert world.act(CLERK, "rate", own, solved="yes", satisfied="yes")["state"] == "closed"


def test_a_clerk_of_another_community_knows_nothing_of_it(world: World, resolved: Json) -> None:
    with pytest.raises(Exception, match="no such ticket"):
        world.act(builders.clerk("340603008099"), "rate", resolved, **IN_VAIN)
    with pytest.raises(Forbidden):
        world.act(builders.grid_worker(), "rate", resolved, **IN_VAIN)


def test_a_repeated_call_in_vain_is_one_attempt(world: World, resolved: Json) -> None:
    call = Call(actor=CLERK.actor, grants=CLERK.grants, command_id="called once")

    world.act(call, "rate", resolved, **IN_VAIN)

    assert world.act(call, "rate", resolved, **IN_VAIN)["call_attempts"] == 1


def test_the_call_list_is_what_waits_longest_first_with_attempts_so_far(world: World) -> None:
    first, second, answered = (resolve(world, builders.resident()) for _ in range(3))
    world.act(CLERK, "rate", first, **IN_VAIN)
    world.act(CLERK, "rate", answered, solved="yes", satisfied="yes")

    page = world.act(CLERK, "call_list", limit=1)
    rest = world.act(CLERK, "call_list", limit=5, after=page["next"])

    listed = [(one["id"], one["call_attempts"]) for one in [*page["items"], *rest["items"]]]
    assert listed == [(first["id"], 1), (second["id"], 0)]
    assert rest["next"] is None


def test_the_call_list_is_of_the_caller_s_area_and_of_the_place_asked_for(
    world: World, resolved: Json
) -> None:
    def listed(call: Call, **query: Any) -> list[str]:
        return [one["id"] for one in world.act(call, "call_list", **query)["items"]]

    assert listed(CLERK) == listed(CLERK, area=f"{COMMUNITY}.e1") == [resolved["id"]]
    assert listed(CLERK, area=f"{COMMUNITY}.e2") == []
    for other in (builders.clerk("340603008099"), builders.grid_worker(), REPORTER):
        assert listed(other) == []


def test_the_cursor_of_another_list_is_refused(world: World, resolved: Json) -> None:
    resolve(world, builders.resident())
    cursor = world.act(CLERK, "list_tickets", limit=1)["next"]

    with pytest.raises(Invalid):
        world.act(CLERK, "call_list", after=cursor)


def test_seven_days_of_silence_close_it_as_not_answered(world: World, resolved: Json) -> None:
    due = clock.parse(resolved["answer_by"])
    world.act(CLERK, "rate", resolved, **IN_VAIN)

    assert silence(world, due - timedelta(seconds=1)) == 0
    assert silence(world, due) == 1
    assert silence(world, due + WEEK) == 0

    ticket = world.act(REPORTER, "get_ticket", resolved)
    assert ticket["state"] == "closed"
    assert ticket["answer_by"] is None
    answer = ticket["follow_up"]
    assert (answer["solved"], answer["satisfied"]) == ("no_answer", "no_answer")
    event = world.events(ticket)[-1]
    assert (event.type, event.data["solved"]) == ("linli.tickets.ticket_closed.v1", "no_answer")
    assert (event.data["actor"], world.history(ticket)[-1].actor_kind) == ("tickets", "system")


def test_a_past_resolution_is_waited_for_from_when_it_was_written_down(world: World) -> None:
    past = clock.now() - timedelta(days=20)
    roles = (Role("secretary", area=COMMUNITY), Role("machine"))
    importer = builders.person(*roles, occurred_at=past)
    ticket = world.act_then(importer, "file_ticket", filing(channel="meeting"))
    done = {"id": ticket["id"], "if_match": ticket["version"], "summary": "修好了"}
    resolved = world.act_then(importer, "resolve", done)

    assert clock.parse(resolved["resolved_at"]) == past
    assert clock.parse(resolved["answer_by"]) > clock.now() + timedelta(days=6)
    assert silence(world, clock.now()) == 0


def test_a_reopened_ticket_is_waited_for_anew_and_keeps_its_count(
    world: World, resolved: Json
) -> None:
    world.act(CLERK, "rate", resolved, **IN_VAIN)
    reopened = world.act(REPORTER, "reopen", resolved, reason="又漏了")
    again = world.act(SECRETARY, "resolve", reopened, summary="又修好了")

    assert (reopened["answer_by"], reopened["call_attempts"]) == (None, 0)
    assert again["answer_by"] > resolved["answer_by"]
    assert again["reopenings"] == 1
    assert silence(world, clock.parse(resolved["answer_by"])) == 0


def test_what_silence_closed_can_be_reopened_for_thirty_days(world: World, resolved: Json) -> None:
    silence(world, clock.now() + WEEK)

    ticket = world.act(REPORTER, "reopen", resolved, reason="又漏了")

    assert (ticket["state"], ticket["reopenings"]) == ("assigned", 1)
