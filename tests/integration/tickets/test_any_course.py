"""Any people doing anything in any order: what holds of every ticket whatever happens to it."""

from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.call import Call
from chassis.errors import ServiceError
from services.tickets import lifecycle
from services.tickets.errors import UnknownTicket
from services.tickets.lifecycle import State
from tests.integration.tickets.world import World
from tests.unit.tickets import builders

PEOPLE = {
    "reporter": builders.resident(),
    "clerk": builders.clerk(),
    "secretary": builders.secretary(),
    "worker": builders.grid_worker(),
    "water": builders.department_clerk("water"),
    "roads": builders.department_clerk("roads"),
    "stranger": builders.resident(),
}
MOVES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "acceptance": ("accept", [{}]),
    "refusal": ("refuse", [{"reason": "重复"}]),
    "assignment": ("assign", [{"department": "water"}, {"department": "roads"}]),
    "work": ("start_work", [{}]),
    "send-back": ("send_back", [{"reason": "不归我们"}]),
    "resolution": ("resolve", [{"summary": "修好了"}]),
    "follow-up": (
        "rate",
        [
            {"solved": "yes", "satisfied": "yes"},
            {"solved": "no", "satisfied": "no"},
            {"solved": "partly", "satisfied": "yes", "reopen": True},
            {"solved": "unreachable", "satisfied": "no_answer"},
        ],
    ),
    "reopening": ("reopen", [{"reason": "又坏了"}]),
    "withdrawal": ("withdraw", [{"reason": "不用了"}]),
}
# Two of three steps are offered ones, or courses would be short; those that end it come last.
STEPS = st.lists(
    st.tuples(st.sampled_from(["offered", "offered", "any"]), st.integers(0, 999)),
    min_size=5,
    max_size=30,
)


@settings(max_examples=25)
@given(STEPS)
def test_whatever_happens_the_ticket_its_history_and_its_events_agree(
    world: World, steps: list[tuple[str, int]]
) -> None:
    ticket = world.file(PEOPLE["reporter"])
    for kind, choice in steps:
        offered = offers(world, ticket)
        tried = offered if kind == "offered" and offered else list(product(PEOPLE, MOVES))
        attempt(world, ticket, *tried[choice % len(tried)], choice)

    rows, events = world.history(ticket), world.events(ticket)
    now = world.act(PEOPLE["clerk"], "get_ticket", ticket)
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    assert [event.sequence for event in events] == [row.sequence for row in rows]
    assert [event.data["state"] for event in events] == [row.to_state for row in rows]
    for before, after in pairwise(rows):
        assert after.from_state == before.to_state
        assert lifecycle.move(State(before.to_state), after.move) == after.to_state
        assert after.version == before.version + (versioned(before) != versioned(after))
    assert (now["state"], now["version"]) == (rows[-1].to_state, rows[-1].version)
    assert now["sequence"] == rows[-1].sequence
    assert now["send_backs"] == sum(row.move == "send-back" for row in rows)
    assert now["reopenings"] == sum(row.move == "reopening" for row in rows)
    second = [row.sequence for row in rows if row.move == "send-back"][1:2]
    for row in rows:
        if second and row.move == "assignment" and row.sequence > second[0]:
            assert row.actor == PEOPLE["secretary"].actor.id
    assert not is_seen(world, ticket, PEOPLE["stranger"])
    assert is_seen(world, ticket, PEOPLE["reporter"])
    assert is_seen(world, ticket, PEOPLE["worker"])
    assert is_seen(world, ticket, PEOPLE["water"]) == (now["department"] == "water")


def versioned(row: Any) -> tuple[Any, ...]:
    return row.to_state, row.department, row.assignee


def attempt(world: World, ticket: dict[str, Any], who: str, move: str, choice: int) -> None:
    """Try a move. It must succeed exactly when it was offered."""
    method, bodies = MOVES[move]
    # Of themselves, nobody says that they could not be reached.
    bodies = [body for body in bodies if who != "reporter" or "unreachable" not in body.values()]
    body = bodies[choice % len(bodies)]
    if (who, move) in offers(world, ticket):
        world.act(PEOPLE[who], method, ticket, **body)
        return
    with pytest.raises(ServiceError) as refused:
        world.act(PEOPLE[who], method, ticket, **body)
    assert refused.value.kind in ("not_found", "forbidden", "conflict")


def offers(world: World, ticket: dict[str, Any]) -> list[tuple[str, str]]:
    """Whom the ticket offers which move now."""
    return [(who, move) for who in PEOPLE for move in moves_of(world, ticket, PEOPLE[who])]


def moves_of(world: World, ticket: dict[str, Any], call: Call) -> list[str]:
    try:
        moves: list[str] = world.act(call, "get_ticket", ticket)["moves"]
    except UnknownTicket:
        return []
    return moves


def is_seen(world: World, ticket: dict[str, Any], call: Call) -> bool:
    """Whether they may read it; the list must say the same as the ticket."""
    newest = world.act(call, "list_tickets", limit=1, sort="-changed_at")["items"]
    is_listed = [item["id"] for item in newest] == [ticket["id"]]
    try:
        world.act(call, "get_ticket", ticket)
    except UnknownTicket:
        assert not is_listed
    else:
        assert is_listed
    return is_listed


@pytest.mark.parametrize("who", ["reporter", "secretary"])
def test_the_course_can_go_round_many_times(world: World, who: str) -> None:
    ticket = world.file(PEOPLE["reporter"])
    world.act(PEOPLE["clerk"], "accept", ticket)
    world.act(PEOPLE["clerk"], "assign", ticket, department="water")

    for _ in range(10):
        world.act(PEOPLE["water"], "resolve", ticket, summary="修好了")
        world.act(PEOPLE[who], "reopen", ticket, reason="又坏了")

    assert world.act(PEOPLE["water"], "get_ticket", ticket)["reopenings"] == 10
