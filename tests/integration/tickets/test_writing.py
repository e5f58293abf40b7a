"""Comments, corrections and history."""

from typing import Any

import pytest
from marshmallow import ValidationError

from chassis.errors import Forbidden, Invalid, Stale
from services.tickets.errors import UnknownTicket
from tests.integration.tickets.world import World
from tests.unit.tickets import builders

REPORTER = builders.resident()
CLERK = builders.clerk()
WATER = builders.department_clerk("water")
STRANGER = builders.resident()
Json = dict[str, Any]


@pytest.fixture
def ticket(world: World) -> Json:
    """The reporter's public request, with the water department."""
    filed = world.file(REPORTER, visibility="public")
    world.act(CLERK, "accept", filed)
    assigned: Json = world.act(CLERK, "assign", filed, department="water", note="先打电话")
    return assigned


def texts(world: World, call: Any, ticket: Json) -> list[str]:
    return [item["text"] for item in world.act(call, "list_comments", ticket)["items"]]


def test_a_comment_is_told_without_its_text_and_moves_nothing(world: World, ticket: Json) -> None:
    comment = world.act(REPORTER, "comment", ticket, text="晚上在家\x00")

    assert comment["text"] == "晚上在家"
    assert comment["author"] == REPORTER.actor.id
    event, message = world.events(ticket)[-1], world.messages(ticket)[-1]
    assert event.type == "linli.tickets.ticket_commented.v1"
    assert event.data["comment"] == comment["id"]
    assert event.data["comment_visibility"] == "public"
    assert message.routing_key.startswith("ticket.commented.v1.water.")
    assert "晚上在家" not in message.body
    after = world.act(CLERK, "get_ticket", ticket)
    assert (after["version"], after["sequence"]) == (ticket["version"], ticket["sequence"] + 1)


def test_comments_among_staff_stay_among_staff(world: World, ticket: Json) -> None:
    world.act(CLERK, "comment", ticket, text="明天上门", visibility="public")
    world.act(WATER, "comment", ticket, text="此户有纠纷", visibility="internal")

    assert texts(world, CLERK, ticket) == texts(world, WATER, ticket) == ["明天上门", "此户有纠纷"]
    assert texts(world, REPORTER, ticket) == texts(world, STRANGER, ticket) == ["明天上门"]
    moves = [item["move"] for item in world.act(REPORTER, "ticket_history", ticket)["items"]]
    assert moves.count("comments") == 1
    with pytest.raises(Forbidden):
        world.act(REPORTER, "comment", ticket, text="我也要", visibility="internal")


def test_strangers_read_public_comments_without_their_authors(world: World, ticket: Json) -> None:
    world.act(REPORTER, "comment", ticket, text="我家也是")

    (comment,) = world.act(STRANGER, "list_comments", ticket)["items"]

    assert comment["author"] is None
    with pytest.raises(Forbidden):
        world.act(STRANGER, "comment", ticket, text="凑热闹")


def test_the_same_command_comments_once(world: World, ticket: Json) -> None:
    call = builders.clerk(command_id="once")

    first = world.act(call, "comment", ticket, text="明天上门")

    assert world.act(call, "comment", ticket, text="明天上门") == first
    assert texts(world, CLERK, ticket) == ["明天上门"]


def test_comments_come_in_pages(world: World, ticket: Json) -> None:
    for number in range(5):
        world.act(CLERK, "comment", ticket, text=f"第{number}次")

    first = world.act(CLERK, "list_comments", ticket, limit=3)
    second = world.act(CLERK, "list_comments", ticket, limit=3, after=first["next"])

    assert [item["text"][1] for item in first["items"] + second["items"]] == list("01234")
    assert second["next"] is None
    with pytest.raises(Invalid):
        world.act(CLERK, "list_comments", ticket, after="x")


@pytest.mark.parametrize("text", ["", " \n ", "水" * 2001, None, 7])
def test_what_is_no_comment_is_refused(world: World, ticket: Json, text: Any) -> None:
    with pytest.raises(ValidationError):
        world.act(CLERK, "comment", ticket, text=text)


def test_comments_on_private_tickets_of_others_are_not_found(world: World) -> None:
    private = world.file(REPORTER)

    for method, body in (("comment", {"text": "?"}), ("list_comments", {}), ("ticket_history", {})):
        with pytest.raises(UnknownTicket):
            world.act(STRANGER, method, private, **body)


def test_corrections_are_told_by_their_fields(world: World, ticket: Json) -> None:
    amended = world.act(
        CLERK,
        "amend",
        ticket,
        category="housing.roof_leak",
        title="楼道漏水",
        location={"lat": 33.9, "lon": 116.8},
    )

    assert amended["category"] == "housing.roof_leak"
    assert amended["location"] == {"lat": 33.9, "lon": 116.8}
    assert amended["version"] == ticket["version"]
    event = world.events(ticket)[-1]
    assert event.data["fields"] == ["category", "location", "title"]
    assert event.data["category"] == "housing.roof_leak"
    assert "楼道" not in world.messages(ticket)[-1].body


def test_a_title_and_a_location_can_be_taken_away(world: World, ticket: Json) -> None:
    world.act(CLERK, "amend", ticket, title="楼道漏水", location={"lat": 33.9, "lon": 116.8})

    amended = world.act(CLERK, "amend", ticket, title=None, location=None)

    assert (amended["title"], amended["location"]) == (None, None)


def test_what_is_right_already_is_no_correction(world: World, ticket: Json) -> None:
    same = world.act(CLERK, "amend", ticket, category=ticket["category"], visibility="public")

    assert same["sequence"] == ticket["sequence"]
    assert world.events(ticket)[-1].type == "linli.tickets.ticket_assigned.v1"


def test_made_private_it_is_gone_for_strangers(world: World, ticket: Json) -> None:
    assert world.act(STRANGER, "get_ticket", ticket)["reporter"] is None

    world.act(CLERK, "amend", ticket, visibility="private")

    with pytest.raises(UnknownTicket):
        world.act(STRANGER, "get_ticket", ticket)


def test_corrections_compare_all_that_their_caller_has_read(world: World, ticket: Json) -> None:
    world.act(REPORTER, "comment", ticket, text="晚上在家")
    seen = {"if_match": ticket["version"], "if_sequence": ticket["sequence"]}

    with pytest.raises(Stale):
        world.act(CLERK, "amend", ticket, title="漏水", **seen)
    seen["if_sequence"] += 1
    assert world.act(CLERK, "amend", ticket, title="漏水", **seen)["title"] == "漏水"
    with pytest.raises(Stale):
        world.act(CLERK, "amend", ticket, title="水", if_match=1)


@pytest.mark.parametrize("call", [REPORTER, STRANGER, WATER])
def test_others_correct_nothing(world: World, ticket: Json, call: Any) -> None:
    with pytest.raises(Forbidden):
        world.act(call, "amend", ticket, title="漏水")


def test_it_is_corrected_only_to_what_there_is(world: World, ticket: Json) -> None:
    with pytest.raises(Invalid):
        world.act(CLERK, "amend", ticket, category="tea.cold")
    with pytest.raises(ValidationError):
        world.act(CLERK, "amend", ticket, description="别的事")


def test_the_same_command_corrects_once(world: World, ticket: Json) -> None:
    call = builders.clerk(command_id="once")

    first = world.act(call, "amend", ticket, title="漏水")
    world.act(CLERK, "amend", ticket, title="大漏水")

    assert world.act(call, "amend", ticket, title="漏水")["title"] == "大漏水"
    assert first["sequence"] + 1 == world.act(CLERK, "get_ticket", ticket)["sequence"]


def test_history_tells_each_as_much_as_concerns_them(world: World, ticket: Json) -> None:
    world.act(WATER, "send_back", ticket, reason="属于市政")

    def words(call: Any) -> list[tuple[str, Any]]:
        items = world.act(call, "ticket_history", ticket)["items"]
        return [(item["to"], item["reason"]) for item in items]

    assert words(CLERK)[2:] == [("assigned", "先打电话"), ("accepted", "属于市政")]
    assert words(REPORTER)[2:] == words(STRANGER)[2:] == [("assigned", None), ("accepted", None)]
    first = world.act(CLERK, "ticket_history", ticket, limit=1)
    assert first["items"][0]["by"] == {"id": REPORTER.actor.id, "kind": "person"}
    rest = world.act(CLERK, "ticket_history", ticket, after=first["next"])
    assert [item["sequence"] for item in rest["items"]] == [2, 3, 4]
