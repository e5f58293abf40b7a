"""Lists of tickets: who sees which, filters, orders and pages."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from chassis.call import Call, Grant
from chassis.errors import Invalid
from tests.integration.tickets.world import BUILDING, E1, E2, OTHER_GRID, World
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY, GRID

REPORTER = builders.resident()
CLERK = builders.clerk()
WATER = builders.department_clerk("water")
CHIEF = builders.building_chief(OTHER_GRID)
Json = dict[str, Any]


def ids(page: Json) -> list[str]:
    return [item["id"] for item in page["items"]]


def names(world: World, call: Call, tickets: dict[str, Json], **query: Any) -> set[str]:
    """The names of the tickets that a list shows."""
    shown = ids(world.act(call, "list_tickets", **query))
    return {name for name, ticket in tickets.items() if ticket["id"] in shown}


@pytest.fixture
def tickets(world: World) -> dict[str, Json]:
    """Some of everything."""
    made = {
        "own": world.file(REPORTER, title="楼道漏水"),
        "public": world.file(builders.resident(), visibility="public", area=OTHER_GRID),
        "private": world.file(builders.resident(), area=OTHER_GRID, channel="phone"),
        "water's": world.file(builders.resident(), category="housing.roof_leak"),
        "taken": world.file(builders.grid_worker(), description="路灯不亮"),
        "theirs": world.file(builders.resident(), area=E1),
    }
    world.act(CLERK, "accept", made["water's"])
    world.act(CLERK, "assign", made["water's"], department="water")
    world.duty(CHIEF, "building_chief", area=OTHER_GRID)
    world.act(CLERK, "accept", made["theirs"])
    world.act(CLERK, "assign", made["theirs"], assignee=CHIEF.actor.id)
    return made


ALL = {"own", "public", "private", "water's", "taken", "theirs"}


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (REPORTER, {"own", "public"}),
        (builders.resident(), {"public"}),
        (builders.anonymous(), {"public"}),
        (CLERK, ALL),
        (builders.secretary(), ALL),
        (builders.grid_worker(), {"public", "own", "water's", "taken"}),
        (builders.grid_worker(OTHER_GRID), {"public", "private"}),
        (CHIEF, {"public", "private", "theirs"}),
        (WATER, {"public", "water's"}),
        (builders.clerk("340603008099"), {"public"}),
        (Call(grants=(Grant("any", frozenset({"read"})),)), ALL),
        (Call(grants=(Grant("any", frozenset({"work"})),)), set()),
        (Call(), set()),
        (Call(grants=(Grant("planet:mars", frozenset({"read"})),)), set()),
    ],
)
def test_everybody_sees_what_they_may_read(
    world: World, tickets: dict[str, Json], call: Call, expected: set[str]
) -> None:
    assert names(world, call, tickets) == expected


def test_who_wrote_it_down_for_somebody_has_it_no_more_without_a_duty(world: World) -> None:
    clerk, reporter = builders.clerk(), builders.resident()
    tickets = {
        "somebody's": world.file(clerk, reporter={"resident": reporter.actor.id}),
        "nobody's": world.file(clerk),
    }
    dismissed = builders.resident(id=clerk.actor.id)

    assert names(world, clerk, tickets) == {"somebody's", "nobody's"}
    assert names(world, dismissed, tickets) == set()
    assert names(world, reporter, tickets) == {"somebody's"}


def test_a_list_shows_no_more_of_a_ticket_than_the_ticket_does(
    world: World, tickets: dict[str, Json]
) -> None:
    (shown,) = world.act(builders.resident(), "list_tickets")["items"]

    assert shown == world.act(builders.resident(), "get_ticket", tickets["public"])
    assert shown["reporter"] is None


def test_who_accepted_it_has_it_until_it_is_assigned(
    world: World, tickets: dict[str, Json]
) -> None:
    holder = replace(CLERK, grants=(Grant("holder", frozenset({"read"})),))
    ticket = tickets["own"]

    world.act(CLERK, "accept", ticket)
    assert ids(world.act(holder, "list_tickets")) == [ticket["id"]]

    world.act(CLERK, "assign", ticket, department="water")
    assert ids(world.act(holder, "list_tickets")) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "filed"}, {"own", "public", "private"}),
        ({"state": "accepted,assigned"}, {"taken", "water's", "theirs"}),
        ({"state": ["assigned"]}, {"water's", "theirs"}),
        ({"kind": "request"}, ALL),
        ({"category": "water"}, ALL - {"water's"}),
        ({"category": "housing.roof_leak"}, {"water's"}),
        ({"category": "tea"}, set()),
        ({"area": COMMUNITY}, ALL),
        ({"area": "340603000000"}, ALL),
        ({"area": E1}, {"own", "water's", "taken", "theirs"}),
        ({"area": GRID}, {"own", "water's", "taken"}),
        ({"area": E2, "channel": "phone"}, {"private"}),
        ({"area": f"{GRID}.b"}, set()),
        ({"department": "water"}, {"water's"}),
        ({"assignee": CHIEF.actor.id}, {"theirs"}),
        ({"reporter": REPORTER.actor.id}, {"own"}),
        ({"channel": "phone"}, {"private"}),
        ({"q": "漏水"}, ALL - {"taken"}),
        ({"q": "路灯"}, {"taken"}),
        ({"q": "灯"}, {"taken"}),
        ({"q": "灯 路"}, {"taken"}),
        ({"q": "灯路"}, set()),
        ({"q": "楼道漏"}, {"own"}),
        ({"q": "'; DROP TABLE tickets; --"}, set()),
        ({"q": "***"}, set()),
        ({"q": "%"}, set()),
        ({"q": "1999"}, set()),
        ({"state": "filed", "area": OTHER_GRID, "channel": "page"}, {"public"}),
    ],
    ids=lambda names: "+".join(sorted(names)) or "none",
)
def test_filters(
    world: World, tickets: dict[str, Json], query: dict[str, Any], expected: set[str]
) -> None:
    assert names(world, CLERK, tickets, **query) == expected


@pytest.mark.parametrize("whom", ["reporter", "assignee"])
def test_strangers_cannot_ask_whose_a_public_ticket_is(
    world: World, tickets: dict[str, Json], whom: str
) -> None:
    ticket = world.file(REPORTER, visibility="public")
    world.duty(REPORTER, "mediator", area=COMMUNITY)
    world.act(CLERK, "accept", ticket)
    world.act(CLERK, "assign", ticket, assignee=REPORTER.actor.id)

    query = {whom: REPORTER.actor.id}

    assert ticket["id"] in ids(world.act(CLERK, "list_tickets", **query))
    assert ticket["id"] in ids(world.act(REPORTER, "list_tickets", **query))
    for stranger in (builders.resident(), builders.anonymous(), WATER):
        assert ids(world.act(stranger, "list_tickets", **query)) == []


def test_a_number_is_found_by_how_it_begins(world: World, tickets: dict[str, Json]) -> None:
    number = tickets["own"]["number"]

    assert names(world, CLERK, tickets, q=number) == {"own"}
    assert names(world, CLERK, tickets, q=number[:8]) == ALL


def test_a_corrected_title_is_found(world: World, tickets: dict[str, Json]) -> None:
    world.act(CLERK, "amend", tickets["taken"], title="夜里太黑")

    assert names(world, CLERK, tickets, q="太黑") == {"taken"}


@pytest.mark.parametrize(
    "query",
    [
        {"state": "open"},
        {"state": "filed,,accepted"},
        {"kind": "wish"},
        {"assignee": "me"},
        {"limit": 0},
        {"limit": 201},
        {"limit": "20"},
        {"sort": "title"},
        {"overdue": True},
        {"q": "水" * 101},
        {"area": "340603008002'"},
    ],
    ids=repr,
)
def test_what_is_no_filter_is_refused(world: World, query: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        world.act(CLERK, "list_tickets", **query)


def pages(world: World, call: Call, **query: Any) -> Iterator[Json]:
    after = None
    while True:
        page = world.act(call, "list_tickets", after=after, **query)
        yield page
        after = page["next"]
        if after is None:
            return


@pytest.mark.parametrize("sort", ["filed_at", "-filed_at", "changed_at", "-changed_at"])
def test_pages_cover_everything_once_in_order(
    world: World, tickets: dict[str, Json], sort: str
) -> None:
    items = [item for page in pages(world, CLERK, sort=sort, limit=2) for item in page["items"]]

    keys = [(item[sort.lstrip("-")], item["id"]) for item in items]
    assert keys == sorted(keys, reverse=sort.startswith("-"))
    assert {item["id"] for item in items} == {ticket["id"] for ticket in tickets.values()}
    assert len(items) == len(tickets)


def test_tickets_filed_meanwhile_do_not_disturb_a_reader(
    world: World, tickets: dict[str, Json]
) -> None:
    seen: list[str] = []
    for page in pages(world, CLERK, limit=2):
        seen += ids(page)
        world.file(builders.resident())

    assert sorted(seen) == sorted(ticket["id"] for ticket in tickets.values())


def test_a_cursor_of_another_order_is_refused(world: World, tickets: dict[str, Json]) -> None:
    cursor = world.act(CLERK, "list_tickets", limit=1)["next"]

    with pytest.raises(Invalid):
        world.act(CLERK, "list_tickets", after=cursor, sort="changed_at")


@settings(max_examples=150)
@given(st.text(min_size=1, max_size=30))
def test_no_query_breaks_the_search(world: World, text: str) -> None:
    world.file(builders.resident(), title=text[:20], description=f"{text} 水")

    assert set(world.act(CLERK, "list_tickets", q=text)) == {"items", "next"}


@settings(max_examples=80)
@given(st.text("漏水楼道灯路abAB 12", min_size=4, max_size=20), st.data())
def test_every_piece_of_a_word_finds_its_ticket(
    world: World, text: str, data: st.DataObject
) -> None:
    ticket = world.file(REPORTER, description=f"事 {text}")
    word = data.draw(st.sampled_from(text.split() or ["事"]))
    start = data.draw(st.integers(0, len(word) - 1))
    piece = word[start : data.draw(st.integers(start + 1, len(word)))]

    found = world.act(REPORTER, "list_tickets", q=piece, reporter=REPORTER.actor.id, limit=200)

    assert ticket["id"] in ids(found)


def test_the_building_is_part_of_its_grid(world: World, tickets: dict[str, Json]) -> None:
    assert names(world, CLERK, tickets, area=BUILDING) == {"own", "water's", "taken"}
