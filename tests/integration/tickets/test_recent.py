"""What is asked about what happened of late, what is said from systems that know no versions, and
where a filing from outside goes.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from chassis import clock
from chassis.errors import Forbidden, Invalid
from services.tickets.errors import IllegalMove, UnknownJurisdiction, UnknownTicket
from services.tickets.fact_models import AreaRow
from services.tickets.models import TicketRow
from tests.integration.tickets.world import BUILDING, World, filing
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY

Json = dict[str, Any]


def iso(**ago: float) -> str:
    return clock.iso(clock.now() - timedelta(**ago))


def lately() -> Json:
    return {"recorded_from": iso(hours=1), "recorded_until": iso(hours=-1)}


def assigned(world: World, **values: Any) -> Json:
    """A ticket that the water company has."""
    ticket = world.file(builders.resident(), visibility="public", **values)
    world.act(builders.clerk(), "accept", ticket)
    filed: Json = world.act(builders.clerk(), "assign", ticket, department="water")
    return filed


def report(world: World, ticket: Json, call: Any = None, **said: Any) -> Json:
    said = {"text": "On our way", **said}
    caller = call or builders.department_clerk()
    change: Json = world.act(caller, "report", id=ticket["id"], **said)
    return change


def told(world: World, ticket: Json) -> list[tuple[str, str | None]]:
    query = {**lately(), "ids": [ticket["id"]]}
    items = world.act(builders.anonymous(), "recent_updates", **query)["items"]
    return [(item["state"], item["text"]) for item in items]


def test_what_was_filed_in_a_period_is_told_newest_first(world: World) -> None:
    first, second = (world.file(builders.resident(), visibility="public") for _ in range(2))
    world.session.execute(
        update(TicketRow)
        .where(TicketRow.id == first["id"])
        .values(filed_at=clock.now() - timedelta(days=2))
    )

    def found(**query: Any) -> list[str]:
        items = world.act(builders.anonymous(), "recent_requests", **query)["items"]
        return [item["id"] for item in items if item["id"] in (first["id"], second["id"])]

    assert found() == [second["id"], first["id"]]
    assert found(filed_from=iso(days=1)) == [second["id"]]
    assert found(filed_until=iso(days=1)) == [first["id"]]
    assert found(ids=[first["number"], second["id"], "no id"]) == [second["id"], first["id"]]
    assert found(recorded_from=iso(days=1), area=COMMUNITY) == [first["id"], second["id"]]
    assert found(recorded_until=iso(days=1)) == []
    assert found(area="340603008099") == []
    assert found(categories=["roads.pothole"]) == []
    assert found(state=["closed"]) == []
    assert found(limit=1, offset=1) == [first["id"]]


def test_what_is_dated_back_is_told_to_whoever_polls(world: World) -> None:
    hour = iso(hours=1)
    yesterday = clock.now() - timedelta(days=1)
    importer = builders.person(builders.Role("machine"), occurred_at=yesterday)
    filed = world.act_then(importer, "file_ticket", filing(visibility="public"))

    def polled() -> list[Json]:
        query = {"recorded_from": hour}
        items = world.act(builders.anonymous(), "recent_requests", **query)["items"]
        return [item for item in items if item["id"] == filed["id"]]

    (told,) = polled()
    assert (told["filed_at"], told["changed_at"]) == (clock.iso(yesterday), clock.iso(yesterday))
    assert told["updated_at"] == clock.iso(world.history(filed)[-1].recorded_at) > hour
    (by_id,) = world.act(builders.anonymous(), "recent_requests", ids=[filed["id"]])["items"]
    assert by_id["updated_at"] == told["updated_at"]


def test_whoever_goes_on_from_the_last_change_misses_none_that_happens_meanwhile(
    world: World,
) -> None:
    since = clock.iso(clock.now())
    made = [world.file(builders.resident(), visibility="public") for _ in range(4)]
    told: list[str] = []

    def go_on(since: str) -> str:
        query = {"recorded_from": since, "limit": 2}
        items = world.act(builders.anonymous(), "recent_requests", **query)["items"]
        told.extend(item["id"] for item in items)
        return str(items[-1]["updated_at"])

    since = go_on(since)
    world.act(builders.clerk(), "accept", made[0])
    for _ in made:
        since = go_on(since)

    assert list(dict.fromkeys(told)) == [ticket["id"] for ticket in made]
    assert told[-1] == made[0]["id"]


def test_nobody_is_told_what_is_private(world: World) -> None:
    ticket = world.file(builders.resident())
    world.act(builders.clerk(), "accept", ticket)

    ids = {"ids": [ticket["id"]]}
    assert world.act(builders.anonymous(), "recent_requests", **ids)["items"] == []
    assert told(world, ticket) == []
    assert len(world.act(builders.clerk(), "recent_requests", **ids)["items"]) == 1


def test_updates_are_in_the_order_in_which_they_were_recorded(world: World) -> None:
    ticket = assigned(world)
    report(world, ticket)
    clerk = builders.department_clerk()
    world.act(clerk, "comment", id=ticket["id"], text="Inside", visibility="internal")
    report(world, ticket, text="A new pipe", done=True)

    assert told(world, ticket) == [
        ("accepted", None),
        ("assigned", None),
        ("assigned", "On our way"),
        ("resolved", "A new pipe"),
    ]


def test_a_report_is_a_comment_until_it_is_done_and_again_after(world: World) -> None:
    ticket = assigned(world)
    told = ({}, {"done": True}, {"done": True}, {})
    made = [report(world, ticket, **said)["sequence"] for said in told]

    moves = {row.sequence: row.move for row in world.history(ticket)}
    assert [moves[sequence] for sequence in made] == [
        "comments",
        "resolution",
        "comments",
        "comments",
    ]


def test_a_repeated_report_names_the_same_change(world: World) -> None:
    ticket = assigned(world)
    for said in ({"text": "On our way"}, {"text": "A new pipe", "done": True}):
        call = builders.department_clerk(id=BUILDING_CLERK, command_id=f"report {said['text']}")
        first = report(world, ticket, call, **said)
        report(world, ticket)

        assert report(world, ticket, call, **said) == first


BUILDING_CLERK = "01900000-0000-7000-8000-000000000311"


def test_a_report_needs_what_the_move_needs(world: World) -> None:
    filed = world.file(builders.resident(), visibility="public")
    mine = assigned(world)

    with pytest.raises(UnknownTicket):
        report(world, world.file(builders.resident()))
    with pytest.raises(Forbidden):
        report(world, filed, builders.anonymous())
    with pytest.raises(Forbidden):
        report(world, mine, builders.resident(), done=True)
    with pytest.raises(IllegalMove):
        report(world, filed, builders.secretary(), done=True)
    assert world.version(mine) == mine["version"]


def test_a_filing_goes_to_its_place_or_to_the_only_community(world: World) -> None:
    def place(**where: str) -> str:
        code: str = world.act(builders.anonymous(), "filing_place", **where)["code"]
        return code

    assert place() == COMMUNITY
    assert place(jurisdiction="340603008000") == COMMUNITY
    assert place(jurisdiction=COMMUNITY, address=BUILDING) == BUILDING
    assert place(address=BUILDING) == BUILDING
    with pytest.raises(UnknownJurisdiction):
        place(jurisdiction="sfgov.org")
    with pytest.raises(UnknownJurisdiction):
        place(jurisdiction=BUILDING)


def test_where_there_are_several_communities_one_is_named(world: World) -> None:
    other = "340603008003"
    path = ["340603000000", "340603008000", other]
    names = {"name": "新苑社区", "names": {"zh": "新苑社区"}}
    row = AreaRow(
        code=other, level="community", path=path, routing="340603.008.003", sequence=1, **names
    )
    world.session.add(row)
    world.session.flush()

    def why(**where: str) -> str:
        with pytest.raises(Invalid) as refused:
            world.act(builders.anonymous(), "filing_place", **where)
        return str(refused.value.errors[0]["code"])

    assert why() == "ambiguous_jurisdiction"
    assert why(jurisdiction="340603008000") == "ambiguous_jurisdiction"
    assert why(jurisdiction=other, address=BUILDING) == "outside_jurisdiction"
    assert why(jurisdiction=other, address=f"{other}.e9") == "unknown_area"
    assert why(jurisdiction="340603008000", address="340603008000") == "area_too_wide"
    where = {"jurisdiction": other}
    assert world.act(builders.anonymous(), "filing_place", **where) == {"code": other}
    assert world.act(builders.anonymous(), "jurisdiction", **where) == {"code": other}


def test_answers_and_pictures_are_kept_and_leave_no_trace_in_events(world: World) -> None:
    link = "https://pictures.example/1.jpg"
    ticket = world.file(
        builders.resident(),
        category="water.no_supply",
        attributes={"flats": "12"},
        media_url=link,
        visibility=None,
    )

    assert (ticket["attributes"], ticket["media_url"]) == ({"flats": 12}, link)
    assert ticket["visibility"] == "public"
    for event in world.events(ticket):
        assert not {"attributes", "media_url"} & set(event.data)
        assert link not in str(event.data)
    private = world.file(builders.resident(), category="neighbours.family", visibility=None)
    assert private["visibility"] == "private"
