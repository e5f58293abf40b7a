"""Duties in a real database: who, what, where, from which day to which."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from chassis.errors import Forbidden, Invalid, NotFound, ServiceError
from chassis.ids import new_id
from services.residents.errors import DutyOverlaps
from tests.integration.residents.world import COMMUNITY, World, caller

GRID = f"{COMMUNITY}.e1.g1"


@pytest.fixture
def person(world):
    """Somebody, in the demo community."""
    world.add_community("e1", "e1.g1", "e1.g1.b1")
    return world.register()["id"]


def ids(page):
    return [item["id"] for item in page["items"]]


def pointers(error):
    return {(fault["pointer"], fault["code"]) for fault in error.value.errors}


def test_a_duty_is_given_with_its_event(world, person):
    duty = world.start_duty(person, "grid_worker", area=GRID, to="2027-10-31")

    assert duty == {
        "id": duty["id"],
        "person": person,
        "role": "grid_worker",
        "area": GRID,
        "department": None,
        "from": "2026-11-01",
        "to": "2027-10-31",
        "version": 1,
    }
    (event,) = world.events("duty")
    assert event["type"] == "linli.residents.duty_started.v1"
    assert event["key"] == "duty.started.v1.none.340603.008.002.e1.g1"
    assert event["subject"] == duty["id"]
    assert event["data"] == {
        "duty": duty["id"],
        "person": person,
        "role": "grid_worker",
        "area": GRID,
        "department": None,
        "from": "2026-11-01",
        "to": "2027-10-31",
    }


def test_a_department_s_clerk_is_told_to_the_department(world, person):
    world.add_department("water")

    duty = world.start_duty(person, "department_clerk", department="water")

    assert duty["department"] == "water"
    assert world.events("duty")[0]["key"] == "duty.started.v1.water.none"


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ({"role": "grid_worker"}, ("/area", "required")),
        ({"role": "grid_worker", "area": "340603000000"}, ("/area", "wrong_level")),
        ({"role": "grid_worker", "area": f"{COMMUNITY}.e9"}, ("/area", "unknown_area")),
        ({"role": "department_clerk"}, ("/department", "required")),
        ({"role": "department_clerk", "department": "gas"}, ("/department", "unknown_department")),
        ({"role": "clerk", "area": COMMUNITY, "to": "2026-10-30"}, ("/to", "before_start")),
        (
            {"role": "clerk", "area": COMMUNITY, "person": str(new_id())},
            ("/person", "unknown_person"),
        ),
    ],
)
def test_a_duty_that_does_not_fit_is_refused_at_the_field(world, person, command, fault):
    with pytest.raises(Invalid) as refused:
        world.start_duty(**{"person": person, **command})

    assert pointers(refused) == {fault}
    assert world.events("duty") == []


def test_nobody_becomes_clerk_of_a_department_that_is_closed(world, person):
    world.add_department("water")
    world.change_department("water", active=False)

    with pytest.raises(Invalid):
        world.start_duty(person, "department_clerk", department="water")


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        (("2026-11-01", None), ("2026-11-01", None), True),
        (("2026-11-01", None), ("2027-01-01", "2027-01-02"), True),
        (("2026-11-01", "2026-11-30"), ("2026-11-30", None), True),
        (("2026-11-01", "2026-11-30"), ("2026-12-01", None), False),
        (("2026-11-01", None), ("2026-01-01", "2026-10-31"), False),
        (("2026-11-01", None), ("2026-01-01", "2026-11-01"), True),
        # Revoked on its first day: it was never in force.
        (("2026-11-05", "2026-11-04"), ("2026-11-01", "2026-11-10"), False),
    ],
)
def test_the_same_duty_is_not_held_twice_on_one_day(world, person, first, second, overlap):
    given = {"area": GRID, "from": first[0], "to": first[1]}
    held = world.start_duty(person, "grid_worker", **given)["id"]

    def again():
        given = {"area": GRID, "from": second[0], "to": second[1]}
        return world.start_duty(person, "grid_worker", **given)

    if overlap:
        with pytest.raises(DutyOverlaps) as refused:
            again()
        assert refused.value.params == {"duty": held}
    else:
        assert again()["from"] == second[0]


def test_another_person_role_or_place_is_another_duty(world, person):
    world.start_duty(person, "grid_worker", area=GRID)

    world.start_duty(world.register()["id"], "grid_worker", area=GRID)
    world.start_duty(person, "grid_head", area=GRID)
    world.start_duty(person, "grid_worker", area=f"{COMMUNITY}.e1")

    assert len(world.duties()["items"]) == 4


def test_duties_without_a_place_overlap_too(world, person):
    world.start_duty(person, "administrator")

    with pytest.raises(DutyOverlaps):
        world.start_duty(person, "administrator")


def test_two_who_give_the_same_duty_at_once_give_one(concurrent):
    with Session(concurrent) as session, session.begin():
        person = World(session).register()["id"]

    def start(_number):
        try:
            with Session(concurrent) as session, session.begin():
                return World(session).start_duty(person, "administrator")["id"]
        except DutyOverlaps:
            return None

    with ThreadPoolExecutor(8) as pool:
        given = [duty for duty in pool.map(start, range(16)) if duty]

    assert len(given) == 1


def test_a_repeated_command_returns_the_duty_that_the_first_one_gave(world, person):
    call = caller()
    first = world.start_duty(person, "clerk", call, area=COMMUNITY)

    assert world.start_duty(person, "clerk", call, area=COMMUNITY) == first
    assert len(world.events("duty")) == 1


def test_a_duty_ends_changes_its_end_and_opens_again(world, person):
    duty = world.start_duty(person, "clerk", area=COMMUNITY)["id"]

    assert world.end_duty(duty, "2026-12-31")["to"] == "2026-12-31"
    assert world.end_duty(duty, "2026-12-31")["version"] == 2
    assert world.end_duty(duty, "2026-11-30")["version"] == 3
    assert world.end_duty(duty, None)["to"] is None

    told = [(event["type"].split(".")[2], event["data"]["to"]) for event in world.events("duty")]
    assert told == [
        ("duty_started", None),
        ("duty_ended", "2026-12-31"),
        ("duty_changed", "2026-11-30"),
        ("duty_changed", None),
    ]


def test_an_end_that_would_reach_into_the_next_duty_is_refused(world, person):
    first = world.start_duty(person, "clerk", area=COMMUNITY, to="2026-11-30")["id"]
    world.start_duty(person, "clerk", area=COMMUNITY, **{"from": "2026-12-01"})

    with pytest.raises(DutyOverlaps):
        world.end_duty(first, "2026-12-01")
    with pytest.raises(DutyOverlaps):
        world.end_duty(first, None)


def test_a_duty_may_be_revoked_on_its_first_day_but_not_end_before(world, person):
    duty = world.start_duty(person, "clerk", area=COMMUNITY)["id"]

    assert world.end_duty(duty, "2026-10-31")["to"] == "2026-10-31"
    with pytest.raises(Invalid) as refused:
        world.end_duty(duty, "2026-10-30")
    assert pointers(refused) == {("/to", "before_start")}
    assert world.duties(on="2026-10-31")["items"] == world.duties(on="2026-11-01")["items"] == []


def test_duties_are_listed_by_person_role_place_department_and_day(world, person):
    world.add_department("water")
    other = world.register()["id"]
    worker = world.start_duty(person, "grid_worker", area=GRID, to="2026-11-30")["id"]
    clerk = world.start_duty(other, "clerk", area=COMMUNITY)["id"]
    water = world.start_duty(other, "department_clerk", department="water")["id"]

    assert ids(world.duties()) == [worker, clerk, water]
    assert ids(world.duties(person=person)) == [worker]
    assert ids(world.duties(role="clerk")) == [clerk]
    assert ids(world.duties(within=f"{COMMUNITY}.e1")) == [worker]
    assert ids(world.duties(department="water")) == [water]
    assert ids(world.duties(on="2026-11-30")) == [worker, clerk, water]
    assert ids(world.duties(on="2026-12-01")) == [clerk, water]
    assert ids(world.duties(on="2026-10-31")) == []
    page = world.duties(limit=2)
    assert ids(page) + ids(world.duties(after=page["next"])) == [worker, clerk, water]


def test_duties_are_seen_by_their_person_in_their_place_and_in_their_department(world, person):
    world.add_department("water")
    worker = world.start_duty(person, "grid_worker", area=GRID)["id"]
    water = world.start_duty(person, "department_clerk", department="water")["id"]

    assert ids(world.duties(caller("own", person=person))) == [worker, water]
    assert ids(world.duties(caller(f"area:{COMMUNITY}"))) == [worker]
    assert ids(world.duties(caller("department:water"))) == [water]
    assert ids(world.duties(caller("own"))) == []
    assert ids(world.duties(caller("public"))) == []


@pytest.mark.parametrize(
    ("reach", "may", "error"),
    [
        (f"area:{COMMUNITY}", ("duties.write",), None),
        ("area:340603009000", ("duties.write",), NotFound),
        (f"area:{COMMUNITY}", ("duties.read",), Forbidden),
    ],
)
def test_who_may_end_a_duty(world, person, reach, may, error):
    duty = world.start_duty(person, "clerk", area=COMMUNITY)["id"]

    def end():
        return world.end_duty(duty, "2026-12-31", caller(reach, *may))

    if error is None:
        assert end()["to"] == "2026-12-31"
    else:
        with pytest.raises(error):
            end()


def test_who_may_give_duties_in_one_place_cannot_make_administrators(world, person):
    appointing = caller(f"area:{COMMUNITY}", "duties.read", "duties.write")

    world.start_duty(person, "clerk", appointing, area=COMMUNITY)
    for area in (COMMUNITY, None):
        with pytest.raises(Forbidden):
            world.start_duty(person, "administrator", appointing, area=area)


def test_an_unknown_duty_is_not_found(world):
    with pytest.raises(ServiceError) as unknown:
        world.end_duty(str(new_id()), None)
    assert unknown.value.code == "not_found"
