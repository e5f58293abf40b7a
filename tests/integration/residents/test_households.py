"""Households in a real database: at which door, in which grid and building, from when to when."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import Forbidden, Invalid, NotFound, Stale
from services.residents.errors import HouseholdExists, HouseholdIsClosed
from services.residents.models import Household
from services.residents.reach import Denied, Hidden
from tests.integration.residents.test_areas import plan_of
from tests.integration.residents.town import a_town
from tests.integration.residents.world import COMMUNITY, World, caller

GRID = f"{COMMUNITY}.e1.g1"
BUILDING = f"{GRID}.b1"
UNIT = f"{BUILDING}.u1"


@pytest.fixture
def town(world):
    """An estate with two grids; the first has two buildings, the second none."""
    world.add_community("e1", "e1.g1", "e1.g1.b1", "e1.g1.b1.u1", "e1.g1.b2", "e1.g2")
    return world


def ids(page):
    return [item["id"] for item in page["items"]]


def pointers(error):
    return {(fault["pointer"], fault["code"]) for fault in error.value.errors}


def test_a_household_is_registered_in_its_grid_and_building_with_its_event(town):
    household = town.register_household(UNIT, "402", tenure="owned", **{"from": "2019-05-01"})

    assert household == {
        "id": household["id"],
        "area": UNIT,
        "grid": GRID,
        "building": BUILDING,
        "door": "402",
        "head": None,
        "anchor": False,
        "tenure": "owned",
        "from": "2019-05-01",
        "to": None,
        "recorded_at": None,
        "version": 1,
    }
    assert town.household(household["id"]) == household
    (event,) = town.events("household")
    assert event["type"] == "linli.residents.household_registered.v1"
    assert event["key"] == "household.registered.v1.none.340603.008.002.e1.g1"
    assert event["subject"] == household["id"]
    assert event["data"] == {
        "household": household["id"],
        "area": UNIT,
        "grid": GRID,
        "building": BUILDING,
        "tenure": "owned",
        "from": "2019-05-01",
        "to": None,
        "recorded_at": None,
    }


def test_a_household_begins_on_the_day_of_its_command_unless_told(town):
    assert town.register_household(UNIT, "402")["from"] == "2026-11-01"


@pytest.mark.parametrize(
    ("area", "fault"),
    [
        ("340603000000", "area_too_wide"),
        ("340603008000", "area_too_wide"),
        (f"{COMMUNITY}.e9", "unknown_area"),
        (COMMUNITY, "no_grid"),
        (f"{COMMUNITY}.e1", "no_grid"),
        (GRID, "no_building"),
    ],
)
def test_a_household_that_would_be_in_no_grid_or_building_is_refused(town, area, fault):
    with pytest.raises(Invalid) as refused:
        town.register_household(area, "402")

    assert pointers(refused) == {("/area", fault)}
    assert town.events("household") == []


def test_where_there_are_no_buildings_a_grid_will_do(town):
    household = town.register_household(f"{COMMUNITY}.e1.g2", "西街 7 号")

    assert (household["grid"], household["building"]) == (f"{COMMUNITY}.e1.g2", None)


def test_where_nothing_is_divided_the_community_will_do(world):
    world.add_community()

    household = world.register_household(COMMUNITY, "西街 7 号")

    assert (household["grid"], household["building"]) == (None, None)


def test_a_door_has_one_household_however_it_is_spelt(town):
    there = town.register_household(UNIT, "甲 402A")

    with pytest.raises(HouseholdExists) as refused:
        town.register_household(UNIT, "甲４０２a")

    assert refused.value.params == {"household": there["id"]}
    assert town.register_household(BUILDING, "甲 402A")["id"] != there["id"]


def test_when_a_household_is_over_another_may_be_at_its_door(town):
    before = town.register_household(UNIT, "402")
    town.close_household(before["id"], "2026-11-01")

    assert town.register_household(UNIT, "402")["id"] != before["id"]


def test_two_who_register_the_same_door_at_once_make_one(concurrent):
    with Session(concurrent) as session, session.begin():
        World(session).add_area("990202000000")
        World(session).add_area("990202001000")
        World(session).add_area("990202001001")

    def register(_number):
        try:
            with Session(concurrent) as session, session.begin():
                return World(session).register_household("990202001001", "同时")["id"]
        except HouseholdExists:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [household for household in pool.map(register, range(16)) if household]

    assert len(made) == 1


def test_a_repeated_command_returns_what_the_first_one_registered(town):
    call = caller()
    first = town.register_household(UNIT, "402", call)

    assert town.register_household(UNIT, "402", call) == first
    assert len(town.events("household")) == 1


def test_a_household_is_amended(town):
    household = town.register_household(UNIT, "402")["id"]

    amended = town.amend_household(household, area=f"{GRID}.b2", door="302", tenure="rented")

    assert (amended["building"], amended["door"]) == (f"{GRID}.b2", "302")
    assert amended["version"] == 2
    assert town.household(household) == amended
    event = town.events_of(household)[-1]
    assert event["type"] == "linli.residents.household_amended.v1"
    assert (event["data"]["area"], event["data"]["tenure"]) == (f"{GRID}.b2", "rented")
    town.register_household(UNIT, "402")
    with pytest.raises(HouseholdExists):
        town.amend_household(household, area=UNIT, door="402")


def test_a_door_that_moves_is_found_at_its_new_place(town):
    household = town.register_household(UNIT, "402")["id"]

    town.amend_household(household, area=f"{GRID}.b2")

    with pytest.raises(HouseholdExists):
        town.register_household(f"{GRID}.b2", "402")


def test_an_amendment_that_changes_nothing_makes_no_event(town):
    household = town.register_household(UNIT, "402", tenure="owned")

    assert town.amend_household(household["id"], door="402", tenure="owned") == household
    assert len(town.events("household")) == 1


def test_an_amendment_of_what_has_changed_since_is_refused(town):
    household = town.register_household(UNIT, "402")["id"]
    town.amend_household(household, tenure="rented")

    with pytest.raises(Stale):
        town.amend_household(household, tenure="owned", version=1)
    assert town.amend_household(household, tenure="owned", version=2)["version"] == 3


def test_a_household_is_amended_to_no_place_where_none_may_be(town):
    household = town.register_household(UNIT, "402")["id"]

    with pytest.raises(Invalid) as refused:
        town.amend_household(household, area=GRID)
    assert pointers(refused) == {("/area", "no_building")}


def test_a_household_is_closed_once_and_for_all(town):
    household = town.register_household(UNIT, "402")["id"]

    closed = town.close_household(household, "2026-11-20")

    assert (closed["to"], closed["version"]) == ("2026-11-20", 2)
    assert town.events_of(household)[-1]["type"] == "linli.residents.household_closed.v1"
    assert town.close_household(household, "2026-11-20") == closed
    for change in (
        lambda: town.close_household(household, "2026-11-21"),
        lambda: town.amend_household(household, tenure="owned"),
    ):
        with pytest.raises(HouseholdIsClosed):
            change()


@pytest.mark.parametrize(
    ("ends", "fault"), [("2026-10-30", "before_start"), ("2999-01-01", "in_the_future")]
)
def test_the_last_day_is_neither_before_the_first_nor_to_come(town, ends, fault):
    household = town.register_household(UNIT, "402")["id"]

    with pytest.raises(Invalid) as refused:
        town.close_household(household, ends)
    assert pointers(refused) == {("/to", fault)}


def test_no_household_begins_on_a_day_to_come(town):
    with pytest.raises(Invalid) as refused:
        town.register_household(UNIT, "402", **{"from": "2999-01-01"})
    assert pointers(refused) == {("/from", "in_the_future")}


def test_households_are_listed_by_place_tenure_and_state(town):
    unit = town.register_household(UNIT, "402", tenure="rented")["id"]
    other = town.register_household(f"{GRID}.b2", "101")["id"]
    street = town.register_household(f"{COMMUNITY}.e1.g2", "7 号")["id"]
    gone = town.register_household(f"{GRID}.b2", "102")["id"]
    town.close_household(gone)

    assert ids(town.households()) == [unit, other, street]
    assert ids(town.households(within=GRID)) == [unit, other]
    assert ids(town.households(tenure="rented")) == [unit]
    assert ids(town.households(closed=True)) == [gone]
    assert ids(town.households(recorded=False)) == [unit, other, street]
    assert ids(town.households(recorded=True)) == []
    page = town.households(limit=2)
    assert ids(page) + ids(town.households(after=page["next"])) == [unit, other, street]


def test_who_works_in_a_grid_sees_and_writes_its_households_only(town):
    mine = town.register_household(UNIT, "402")["id"]
    street = town.register_household(f"{COMMUNITY}.e1.g2", "7 号")["id"]
    worker = caller(f"area:{GRID}", "households.read", "households.write")

    assert ids(town.households(worker)) == [mine]
    assert ids(town.households(worker, within=f"{COMMUNITY}.e1.g2")) == []
    assert town.amend_household(mine, worker, tenure="owned")["tenure"] == "owned"
    for refused in (
        lambda: town.household(street, worker),
        lambda: town.amend_household(street, worker, tenure="owned"),
        lambda: town.close_household(street, None, worker),
    ):
        with pytest.raises(NotFound):
            refused()
    with pytest.raises(Forbidden):
        town.register_household(f"{COMMUNITY}.e1.g2", "8 号", worker)
    with pytest.raises(Forbidden):
        town.amend_household(mine, worker, area=f"{COMMUNITY}.e1.g2")


def test_who_may_only_look_changes_nothing(town):
    household = town.register_household(UNIT, "402")["id"]
    looking = caller(f"area:{COMMUNITY}", "households.read")

    assert town.household(household, looking)["door"] == "402"
    with pytest.raises(Forbidden):
        town.close_household(household, None, looking)


@pytest.mark.parametrize("household", ["019a0000-0000-7000-8000-00000000dead", "no-id"])
def test_an_unknown_household_is_not_found(town, household):
    with pytest.raises(NotFound):
        town.household(household)


def test_a_door_is_sealed_under_the_household_s_own_key(town):
    town.register_household(UNIT, "金丝雀门")

    row = town.session.scalars(select(Household)).one()

    assert "金丝雀门".encode() not in bytes(row.door) + bytes(row.door_index)


def test_a_subtree_s_households_are_one_range_of_the_index_whatever_the_past_was(owner_session):
    """Among four thousand that are there and twelve thousand that are no more."""
    a_town(owner_session, buildings=100, doors=40, past=120)
    world = World(owner_session)
    grid = f"{COMMUNITY}.e1.g1"
    first = world.households(within=grid, limit=200)

    plan = plan_of(
        owner_session, lambda: world.households(within=grid, limit=200, after=first["next"])
    )

    assert len(first["items"]) == 200
    assert "Index Scan using households_open" in plan
    assert "Sort" not in plan
    assert "Seq Scan on households " not in plan


def test_what_is_over_is_listed_from_an_index_of_its_own(owner_session):
    a_town(owner_session, buildings=100, doors=40, past=120)
    world = World(owner_session)

    plan = plan_of(owner_session, lambda: world.households(within=COMMUNITY, closed=True))

    assert "Index Scan using households_closed" in plan
    assert "Sort" not in plan


def test_whoever_reads_or_changes_a_household_is_noted(town):
    household = town.register_household(UNIT, "402")["id"]
    town.household(household)
    town.amend_household(household, tenure="owned")
    town.households(within=GRID)
    town.close_household(household)

    entries = [
        (entry["action"], entry["kind"], entry["subject"], entry["fields"])
        for entry in town.audit()["items"]
    ]
    assert entries == [
        ("change", "household", household, ["to"]),
        ("list", "household", None, ["door"]),
        ("change", "household", household, ["tenure"]),
        ("read", "household", household, ["door"]),
        ("register", "household", household, ["door"]),
    ]


@pytest.mark.parametrize("error", [Hidden, Denied])
def test_a_refusal_says_what_was_wanted(town, error):
    household = town.register_household(UNIT, "402")["id"]
    may = ("households.read",) if error is Denied else ("residents.read",)

    with pytest.raises(error) as refusal:
        town.close_household(household, None, caller(f"area:{COMMUNITY}", *may))

    assert refusal.value.operation == "households.write"
    assert str(refusal.value.subject.id) == household
