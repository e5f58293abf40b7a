"""Filing: what is kept, who may, and what comes of it at once."""

from datetime import timedelta
from typing import Any

import pytest
from marshmallow import ValidationError
from sqlalchemy import func, select

from chassis import clock
from chassis.call import Call, Grant
from chassis.errors import Forbidden, Invalid
from chassis.ids import new_id
from services.tickets import numbers
from services.tickets.models import TicketRow
from tests.integration.tickets.world import BUILDING, Json, World, filing
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY, GRID


def test_a_resident_s_request_is_filed_with_its_history_and_its_event(world: World) -> None:
    call = builders.resident()

    ticket = world.file(call, title="漏水", location={"lat": 33.97, "lon": 116.81})

    assert ticket["state"] == "filed"
    assert (ticket["version"], ticket["sequence"]) == (1, 1)
    assert numbers.is_number(ticket["number"])
    assert ticket["reporter"] == ticket["filed_by"] == call.actor.id
    assert ticket["area_name"] == "1号楼"
    assert [place["name"] for place in ticket["area_path"]][2:4] == ["和顺社区", "和顺家园"]
    assert ticket["location"] == {"lat": 33.97, "lon": 116.81}
    assert ticket["moves"] == ["withdrawal"]
    assert [row.event for row in world.history(ticket)] == ["ticket_filed"]
    assert [event.type for event in world.events(ticket)] == ["linli.tickets.ticket_filed.v1"]


def test_the_event_goes_to_the_place_and_says_nothing_in_words(world: World) -> None:
    call = builders.resident()

    ticket = world.file(call, title="漏水", address="3-2-601")

    (message,) = world.messages(ticket)
    (event,) = world.events(ticket)
    assert message.routing_key == "ticket.filed.v1.none.340603.008.002.e1.g1"
    assert message.cc == []
    assert event.sequence == 1
    assert event.data["reporter"] == call.actor.id
    assert event.data["departments"] == []
    for text in ("漏水", "3-2-601", "楼道"):
        assert text not in message.body


@pytest.mark.parametrize("call", [builders.clerk(), builders.grid_worker(), builders.secretary()])
def test_what_staff_file_is_accepted_at_once_in_two_rows_and_two_events(
    world: World, call: Call
) -> None:
    ticket = world.file(call, channel="patrol")

    assert ticket["state"] == "accepted"
    assert (ticket["version"], ticket["sequence"]) == (2, 2)
    assert ticket["reporter"] is None
    assert ticket["responsible"] == call.actor.id
    assert ticket["holder"] == {"kind": "person", "id": call.actor.id}
    rows = world.history(ticket)
    assert [(row.move, row.from_state, row.to_state) for row in rows] == [
        ("filing", None, "filed"),
        ("acceptance", "filed", "accepted"),
    ]
    assert [event.data["state"] for event in world.events(ticket)] == ["filed", "accepted"]


@pytest.mark.parametrize(
    "call",
    [builders.clerk("340603008099"), builders.grid_worker(f"{COMMUNITY}.e2.g3")],
    ids=["clerk", "grid worker"],
)
def test_elsewhere_staff_are_residents_like_others(world: World, call: Call) -> None:
    ticket = world.file(call)

    assert ticket["state"] == "filed"
    assert ticket["reporter"] == call.actor.id


def test_a_building_chief_files_for_a_neighbour_and_nothing_is_accepted_by_it(world: World) -> None:
    chief, neighbour = builders.building_chief(BUILDING), str(new_id())

    ticket = world.file(chief, reporter={"resident": neighbour}, channel="home_visit")

    assert ticket["state"] == "filed"
    assert (ticket["reporter"], ticket["filed_by"]) == (neighbour, chief.actor.id)


def test_somebody_speaks_for_somebody_else(world: World) -> None:
    daughter, mother = str(new_id()), str(new_id())

    ticket = world.file(
        builders.clerk(),
        reporter={"resident": daughter},
        on_behalf_of={"resident": mother},
        channel="phone",
    )

    assert (ticket["reporter"], ticket["on_behalf_of"]) == (daughter, mother)
    assert mother not in world.messages(ticket)[0].body


def test_anybody_may_file_without_saying_who_they_are(world: World) -> None:
    ticket = world.file(builders.anonymous())

    assert ticket["reporter"] is None
    assert ticket["filed_by"] is None
    assert ticket["moves"] == []


def test_somebody_unknown_who_gives_a_phone_is_not_told_whose_it_is(world: World) -> None:
    neighbour = str(new_id())

    ticket = world.file(builders.anonymous(), reporter={"resident": neighbour})

    assert ticket["reporter"] is None
    assert world.act(builders.clerk(), "get_ticket", ticket)["reporter"] == neighbour


@pytest.mark.parametrize("whom", ["reporter", "on_behalf_of"])
def test_a_resident_does_not_file_for_others(world: World, whom: str) -> None:
    with pytest.raises(Forbidden) as refused:
        world.file(builders.resident(), **{whom: {"resident": str(new_id())}})

    assert refused.value.params == {"operation": "file_on_behalf"}


def test_a_resident_may_name_themselves(world: World) -> None:
    call = builders.resident()

    assert world.file(call, reporter={"resident": call.actor.id})["reporter"] == call.actor.id


def test_who_was_granted_nothing_files_nothing(world: World) -> None:
    with pytest.raises(Forbidden):
        world.file(Call(grants=(Grant("any", frozenset({"read"})),)))


@pytest.mark.parametrize(
    ("values", "pointer", "code"),
    [
        ({"area": f"{GRID}.b99"}, "/area", "unknown_area"),
        ({"area": "340603000000"}, "/area", "area_too_wide"),
        ({"area": "340603008000"}, "/area", "area_too_wide"),
        ({"category": "water"}, "/category", "category_is_a_group"),
        ({"category": "tea.cold"}, "/category", "unknown_category"),
    ],
)
def test_what_is_unknown_is_invalid(
    world: World, values: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        world.file(builders.resident(), **values)

    assert [(error["pointer"], error["code"]) for error in refused.value.errors] == [
        (pointer, code)
    ]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": "wish"}, "kind"),
        ({"description": " \n\x00 "}, "description"),
        ({"description": "水" * 5001}, "description"),
        ({"title": "水" * 101}, "title"),
        ({"channel": "dream"}, "channel"),
        ({"visibility": "secret"}, "visibility"),
        ({"priority": "whenever"}, "priority"),
        ({"location": {"lat": 91, "lon": 0}}, "location"),
        ({"location": {"lat": 1}}, "location"),
        ({"location": {"lat": float("nan"), "lon": 0}}, "location"),
        ({"reporter": {"name": "王", "phone": "13800138000"}}, "reporter"),
        ({"reporter": {"resident": "me"}}, "reporter"),
        ({"area": "'; DROP TABLE tickets"}, "area"),
        ({"mood": "bad"}, "mood"),
    ],
)
def test_what_is_no_filing_is_refused_by_its_field(
    world: World, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        world.file(builders.resident(), **values)

    assert set(refused.value.normalized_messages()) == {field}


def test_texts_are_cleaned(world: World) -> None:
    ticket = world.file(builders.resident(), description="\x00 漏\r\n水\ud800 ", title="  ")

    assert ticket["description"] == "漏\n水"
    assert ticket["title"] is None


@pytest.mark.parametrize(
    ("category", "said", "priority"),
    [
        ("water.no_supply", None, "normal"),
        ("water.no_supply", "urgent", "urgent"),
        ("energy.gas_leak", None, "urgent"),
        ("energy.gas_leak", "normal", "normal"),
    ],
)
def test_emergencies_are_urgent_unless_said_otherwise(
    world: World, category: str, said: str | None, priority: str
) -> None:
    assert world.file(builders.resident(), category=category, priority=said)["priority"] == priority


@pytest.mark.parametrize(
    "changes",
    [{"description": "something else"}, {"category": "tea.cold"}, {"area": "340603.nowhere"}],
    ids=["would be taken", "unknown category", "unknown place"],
)
def test_the_same_command_makes_one_ticket(world: World, changes: Json) -> None:
    call = builders.clerk(command_id="monday-offline")

    first = world.file(call)
    again = world.file(call, **changes)

    assert again == first
    assert len(world.history(first)) == 2
    assert world.session.scalar(select(func.count()).select_from(TicketRow)) == 1


def test_a_command_is_answered_again_to_who_may_file_no_more(world: World) -> None:
    first = world.file(builders.clerk(command_id="monday-offline"))

    stranger = Call(command_id="monday-offline")
    assert world.act_then(stranger, "file_ticket", filing())["id"] == first["id"]
    with pytest.raises(Forbidden):
        world.act_then(Call(command_id="tuesday"), "file_ticket", filing())


def test_numbers_count_up_within_the_day(world: World) -> None:
    day, number = world.file(builders.resident())["number"].split("-")
    next_day, next_number = world.file(builders.resident())["number"].split("-")

    assert (next_day, int(next_number)) == (day, int(number) + 1)


def test_an_import_is_numbered_by_the_day_it_happened_on(world: World) -> None:
    archive = builders.person(builders.Role("clerk", area=COMMUNITY), builders.Role("machine"))
    long_ago = clock.now() - timedelta(days=300)
    call = Call(actor=archive.actor, grants=archive.grants, occurred_at=long_ago)

    old = world.act_then(call, "file_ticket", filing(channel="phone"))
    older = world.act_then(call, "file_ticket", filing(channel="phone"))

    assert old["number"].startswith(f"{numbers.day_of(long_ago):%Y%m%d}-0000")
    assert older["number"] != old["number"]
    assert old["filed_at"] == clock.iso(long_ago)
    assert old["recorded_at"] > old["filed_at"]
    assert [event.time for event in world.events(old)] == [long_ago, long_ago]


def test_only_an_importer_chooses_the_time(world: World) -> None:
    tomorrow = clock.now() + timedelta(days=1)
    resident = builders.resident(occurred_at=tomorrow)

    assert world.act_then(resident, "file_ticket", filing())["filed_at"] < clock.iso(tomorrow)
    importer = builders.person(builders.Role("machine"), occurred_at=tomorrow)
    with pytest.raises(Invalid) as refused:
        world.act_then(importer, "file_ticket", filing())
    assert refused.value.errors[0]["code"] == "in_the_future"
