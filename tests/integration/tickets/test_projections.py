"""What tickets keeps of residents' facts: the newest, whatever the order they come in."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from marshmallow import ValidationError
from sqlalchemy import select

from chassis import clock
from chassis.errors import Forbidden
from services.tickets import projections
from services.tickets.fact_models import DepartmentRow, DutyRow
from tests.integration.tickets.world import BUILDING, E1, World, fact_event, service
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY, GRID

CLERK = builders.clerk()


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])), ids=repr)
def test_a_late_event_never_overwrites_a_newer_one(world: World, order: tuple[int, ...]) -> None:
    names = {1: "园林局", 2: "绿化局", 3: "园林绿化局"}

    for at in order:
        world.department("greening", name=names[at], active=at != 2, at=at)

    row = world.session.scalars(select(DepartmentRow).where(DepartmentRow.code == "greening")).one()
    assert (row.name, row.active, row.sequence) == ("园林绿化局", True, 3)


def test_a_renamed_area_is_called_by_its_new_name(world: World) -> None:
    ticket = world.file(CLERK)
    fact = {
        "code": BUILDING,
        "name": "一号楼",
        "names": {"zh": "一号楼", "en": "Building 1"},
        "level": "building",
        "parent": GRID,
        "path": [place["code"] for place in ticket["area_path"]],
        "routing": "340603.008.002.e1.g1",
    }

    service(world.session, CLERK).on_area_changed(fact_event("area_renamed", fact, sequence=2))

    assert world.act(CLERK, "get_ticket", ticket)["area_name"] == "一号楼"


@pytest.mark.parametrize("wrong", [{"path": []}, {"names": {}}, {"routing": None}, {"code": 7}])
def test_an_event_that_says_it_wrongly_is_refused_for_good(
    world: World, wrong: dict[str, Any]
) -> None:
    fact = {
        "code": "x",
        "name": "x",
        "names": {"zh": "x"},
        "level": "grid",
        "path": ["x"],
        "routing": "x",
    }
    with pytest.raises(ValidationError):
        projections.keep_area(world.session, fact_event("area_added", {**fact, **wrong}))


def test_what_an_event_says_besides_is_left_alone(world: World) -> None:
    fact = {"code": "tea", "name": "茶", "names": {"zh": "茶"}, "active": True, "colour": "green"}

    service(world.session, CLERK).on_department_changed(fact_event("department_added", fact))

    assert projections.is_active(world.session, "tea")


def test_a_duty_that_ended_is_over_even_when_its_start_comes_late(world: World) -> None:
    worker = builders.grid_worker()
    today = clock.local(clock.now()).date()
    started = world.duty(worker, "grid_worker", area=GRID, today=-9)
    ended = {**started.data, "to": (today - timedelta(days=1)).isoformat()}

    tickets = service(world.session, CLERK)
    tickets.on_duty_changed(fact_event("duty_ended", ended, sequence=2))
    tickets.on_duty_changed(fact_event("duty_started", dict(started.data), sequence=1))

    row = world.session.scalars(select(DutyRow)).one()
    assert (row.sequence, row.ends) == (2, today - timedelta(days=1))
    assert world.act(CLERK, "suggest", world.file(CLERK))["grid_worker"] is None


def test_the_category_s_department_is_suggested_while_it_takes_tickets(world: World) -> None:
    ticket = world.file(CLERK)
    assert world.act(CLERK, "suggest", ticket)["department"] == {
        "code": "water",
        "reason": "category",
        "category": "water.burst_pipe",
    }

    world.department("water", active=False, at=2)

    assert world.act(CLERK, "suggest", ticket)["department"] is None


def test_what_the_community_settles_itself_suggests_no_department(world: World) -> None:
    ticket = world.file(CLERK, category="neighbours.upstairs_leak")

    assert world.act(CLERK, "suggest", ticket)["department"] is None


def test_the_nearest_grid_worker_of_today_is_suggested(world: World) -> None:
    ticket = world.file(CLERK)
    today = clock.local(clock.now()).date()
    near, far, gone = (builders.grid_worker() for _ in range(3))
    assert world.act(CLERK, "suggest", ticket)["grid_worker"] is None

    world.duty(far, "grid_worker", area=E1, today=-100)
    world.duty(gone, "grid_worker", area=GRID, today=-9, to=today - timedelta(days=1))
    world.duty(gone, "grid_worker", area=GRID, today=1)
    world.duty(gone, "building_chief", area=BUILDING)
    assert world.act(CLERK, "suggest", ticket)["grid_worker"]["person"] == far.actor.id

    world.duty(near, "grid_worker", area=GRID, to=today)
    world.duty(gone, "grid_worker", area=GRID)
    assert world.act(CLERK, "suggest", ticket)["grid_worker"] == {
        "person": near.actor.id,
        "reason": "area",
        "area": GRID,
    }


def test_a_ticket_above_all_grids_suggests_no_grid_worker(world: World) -> None:
    world.duty(builders.grid_worker(), "grid_worker", area=GRID)
    ticket = world.file(CLERK, area=COMMUNITY)

    assert world.act(CLERK, "suggest", ticket)["grid_worker"] is None


def test_only_who_assigns_is_given_suggestions(world: World) -> None:
    reporter = builders.resident()

    with pytest.raises(Forbidden):
        world.act(reporter, "suggest", world.file(reporter))


def test_the_tree_of_categories_is_told_in_the_reader_s_language(world: World) -> None:
    items = world.act(builders.anonymous(locale="en"), "categories")["items"]

    roof = next(item for item in items if item["code"] == "housing.roof_leak")
    assert roof == {
        "code": "housing.roof_leak",
        "parent": "housing",
        "name": "Roof leak",
        "names": {"zh": "屋顶漏水", "en": "Roof leak"},
        "department": "housing",
        "response_hours": 4,
        "resolution_hours": 72,
        "emergency": False,
        "personal": False,
        "attributes": [],
    }
