"""Who lives in which household in a real database: moves, heads, history."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from chassis.errors import Forbidden, Invalid, NotFound
from chassis.ids import new_id
from services.residents.errors import (
    AlreadyMember,
    HeadExists,
    HouseholdInhabited,
    HouseholdIsClosed,
    ResidenceOverlaps,
)
from tests.integration.residents.test_areas import plan_of
from tests.integration.residents.town import a_town, its_people
from tests.integration.residents.world import COMMUNITY, World, caller

GRID = f"{COMMUNITY}.e1.g1"
BUILDING = f"{GRID}.b1"
OTHER = f"{COMMUNITY}.e1.g2.b2"


@pytest.fixture
def home(world):
    """A household where nobody has been recorded yet."""
    world.add_community("e1", "e1.g1", "e1.g1.b1", "e1.g2", "e1.g2.b2")
    return world.register_household(BUILDING, "402", **{"from": "2010-01-01"})["id"]


@pytest.fixture
def other(world, home):
    """Another one, in another grid."""
    return world.register_household(OTHER, "101", **{"from": "2010-01-01"})["id"]


@pytest.fixture
def person(world, home):
    """Somebody who lives nowhere yet."""
    return world.register(area=BUILDING)["id"]


def people(page):
    return [item["resident"] for item in page["items"]]


def types(world, subject):
    return [event["type"].split(".")[2] for event in world.events_of(subject)]


def pointers(error):
    return {(fault["pointer"], fault["code"]) for fault in error.value.errors}


def test_somebody_moves_in_with_an_event_and_is_found_there(world, home, person):
    member = world.move_in(home, person, relation="spouse", **{"from": "2020-05-01"})

    assert member == {
        "id": member["id"],
        "household": home,
        "resident": person,
        "relation": "spouse",
        "registered": True,
        "from": "2020-05-01",
        "to": None,
    }
    (listed,) = world.members(home)["items"]
    assert listed == member | {"name": "王**"}
    assert world.homes(person)["items"] == [member]
    event = world.events_of(person)[-1]
    assert event["type"] == "linli.residents.resident_moved_in.v1"
    assert event["key"] == "resident.moved_in.v1.none.340603.008.002.e1.g1"
    assert event["data"] == {
        "resident": person,
        "household": home,
        "area": BUILDING,
        "registered": True,
        "from": "2020-05-01",
        "to": None,
    }


def test_the_first_who_is_recorded_makes_the_dwelling_recorded(world, home, person):
    assert world.household(home)["recorded_at"] is None

    world.move_in(home, person)
    world.move_in(home, world.register(area=BUILDING)["id"])

    assert world.household(home)["recorded_at"] == "2026-11-01T16:00:00.000000+08:00"
    assert types(world, home) == ["household_registered", "household_amended"]


def test_who_is_registered_in_a_household_is_where_it_is(world, other, person):
    world.move_in(other, person, registered=False)
    assert world.resident(person)["area"] == BUILDING

    world.move_out(other, world.members(other)["items"][0]["id"])
    world.move_in(other, person, **{"from": "2026-11-02"})

    assert world.resident(person)["area"] == OTHER


def test_a_household_that_moves_takes_who_is_registered_there_along(world, home, person):
    tenant = world.register(area=BUILDING)["id"]
    world.move_in(home, person)
    world.move_in(home, tenant, registered=False, relation="tenant")

    world.amend_household(home, area=OTHER)

    assert (world.resident(person)["area"], world.resident(tenant)["area"]) == (OTHER, BUILDING)
    assert types(world, person)[-1] == "resident_amended"


def test_a_household_is_registered_with_its_head(world, person):
    household = world.register_household(BUILDING, "403", head=person, **{"from": "2020-01-01"})

    assert (household["head"], household["version"]) == (person, 2)
    assert household["recorded_at"] is not None
    assert world.household(household["id"]) == household
    (member,) = world.members(household["id"])["items"]
    assert (member["relation"], member["from"]) == ("head", "2020-01-01")
    assert world.households(within=BUILDING)["items"][-1] == household


def test_a_repeated_command_registers_one_household_with_one_head(world, person):
    call = caller()
    first = world.register_household(BUILDING, "403", call, head=person)

    assert world.register_household(BUILDING, "403", call, head=person) == first
    assert len(world.members(first["id"])["items"]) == 1


def test_the_head_is_a_member_and_there_is_one(world, home, person):
    spouse, stranger = (world.register(area=BUILDING)["id"] for _ in range(2))
    world.move_in(home, person, relation="head")
    world.move_in(home, spouse, relation="spouse")

    with pytest.raises(HeadExists):
        world.move_in(home, stranger, relation="head")
    with pytest.raises(Invalid) as refused:
        world.amend_household(home, head=stranger)
    assert pointers(refused) == {("/head", "not_a_member")}
    amended = world.amend_household(home, head=spouse)

    assert amended["head"] == spouse
    relations = {item["resident"]: item["relation"] for item in world.members(home)["items"]}
    assert relations == {person: "other", spouse: "head"}
    assert world.amend_household(home, head=spouse) == amended


def test_a_head_who_moves_out_leaves_the_household_without_one(world, home, person):
    member = world.move_in(home, person, relation="head", **{"from": "2020-01-01"})["id"]

    world.move_out(home, member, "2026-10-01")

    assert world.household(home)["head"] is None
    assert world.members(home, on="2026-10-01")["items"][0]["relation"] == "head"


def test_what_somebody_is_to_the_head_is_corrected(world, home, person):
    spouse = world.move_in(home, world.register(area=BUILDING)["id"], relation="head")
    member = world.move_in(home, person, relation="other")

    amended = world.amend_member(home, member["id"], "parent")

    assert amended["relation"] == "parent"
    assert world.amend_member(home, member["id"], "parent") == amended
    with pytest.raises(HeadExists):
        world.amend_member(home, member["id"], "head")
    assert world.household(home)["head"] == spouse["resident"]


def test_somebody_moves_out_on_a_last_day_that_can_be_corrected(world, home, person):
    member = world.move_in(home, person, **{"from": "2020-05-01"})["id"]

    assert world.move_out(home, member, "2026-10-31")["to"] == "2026-10-31"
    assert world.move_out(home, member, "2026-10-31")["to"] == "2026-10-31"
    assert world.move_out(home, member, "2026-10-30")["to"] == "2026-10-30"

    assert types(world, person)[-2:] == ["resident_moved_out", "resident_moved_out"]
    assert [event["sequence"] for event in world.events_of(person)] == [
        f"{number:010}" for number in range(1, 5)
    ]
    assert world.members(home)["items"] == world.homes(person)["items"] == []
    assert people(world.members(home, past=True)) == [person]
    assert [item["household"] for item in world.homes(person, past=True)["items"]] == [home]
    assert world.resident(person)["area"] == BUILDING


@pytest.mark.parametrize(
    ("day", "found"),
    [("2020-04-30", False), ("2020-05-01", True), ("2026-10-31", True), ("2026-11-01", False)],
)
def test_who_lived_where_on_a_day(world, home, person, day, found):
    world.move_in(home, person, **{"from": "2020-05-01", "to": "2026-10-31"})

    assert (people(world.members(home, on=day)) == [person]) is found
    assert (len(world.homes(person, on=day)["items"]) == 1) is found


def test_nobody_is_registered_in_two_households_on_one_day(world, home, other, person):
    world.move_in(home, person, **{"from": "2020-05-01", "to": "2026-10-31"})

    with pytest.raises(ResidenceOverlaps):
        world.move_in(other, person, **{"from": "2026-10-31"})
    world.move_in(other, person, registered=False, **{"from": "2026-10-31"})
    assert world.homes(person)["items"][0]["registered"] is False


def test_nobody_is_in_one_household_twice_on_a_day(world, home, person):
    world.move_in(home, person, registered=False)

    with pytest.raises(AlreadyMember):
        world.move_in(home, person, registered=False, relation="tenant")


def test_a_correction_that_would_reach_into_the_next_residence_is_refused(
    world, home, other, person
):
    first = world.move_in(home, person, **{"from": "2020-05-01", "to": "2026-10-31"})["id"]
    world.move_in(other, person, **{"from": "2026-11-01"})

    with pytest.raises(ResidenceOverlaps):
        world.move_out(home, first, "2026-11-01")


def test_who_moves_leaves_the_day_before_in_the_same_breath(world, home, other, person):
    world.move_in(home, person, **{"from": "2020-05-01"})

    world.move_in(other, person, moving=True, **{"from": "2026-10-15"})

    assert people(world.members(home, on="2026-10-14")) == [person]
    assert people(world.members(other, on="2026-10-14")) == []
    assert people(world.members(home, on="2026-10-15")) == []
    assert people(world.members(other, on="2026-10-15")) == [person]
    assert types(world, person)[-2:] == ["resident_moved_out", "resident_moved_in"]
    assert world.resident(person)["area"] == OTHER


def test_who_may_not_write_the_household_that_somebody_leaves_does_not_move_them(
    world, home, other, person
):
    world.move_in(home, person, **{"from": "2020-05-01"})
    world.amend(person, area=OTHER)
    worker = caller(f"area:{COMMUNITY}.e1.g2", "households.write", "residents.read")

    with pytest.raises(NotFound):
        world.move_in(other, person, worker, moving=True)


def test_nobody_gets_to_see_people_by_moving_them_in(world, other, person):
    worker = caller(f"area:{COMMUNITY}.e1.g2", "households.write", "residents.read")

    for unknown in (person, str(new_id())):
        with pytest.raises(Invalid) as refused:
            world.move_in(other, unknown, worker)
        assert pointers(refused) == {("/resident", "unknown_person")}


def test_a_repeated_command_moves_somebody_in_once(world, home, person):
    call = caller()
    first = world.move_in(home, person, call)

    assert world.move_in(home, person, call) == first
    assert len(world.members(home)["items"]) == 1


def test_two_who_register_somebody_in_two_households_at_once_register_them_in_one(concurrent):
    with Session(concurrent) as session, session.begin():
        world = World(session)
        for code in ("990303000000", "990303001000", "990303001001"):
            world.add_area(code)
        person = world.register(area="990303001001")["id"]
        households = [
            world.register_household("990303001001", f"门 {number}")["id"] for number in range(8)
        ]

    def move_in(household):
        try:
            with Session(concurrent) as session, session.begin():
                return World(session).move_in(household, person)["id"]
        except ResidenceOverlaps:
            return None

    with ThreadPoolExecutor(8) as pool:
        homes = [home for home in pool.map(move_in, households) if home]

    assert len(homes) == 1


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 28), st.integers(0, 9)), max_size=8))
def test_however_people_move_they_are_registered_in_one_place_on_any_day(world, stays):
    """A stay in one of three households, from a day on, for so many more days."""
    with world.session.begin_nested() as undone:
        world.add_community()
        person = world.register(area=COMMUNITY)["id"]
        doors = [world.register_household(COMMUNITY, f"门 {door}")["id"] for door in range(3)]
        for door, first, more in stays:
            days = {"from": f"2026-01-{first:02}", "to": f"2026-01-{min(first + more, 31):02}"}
            try:
                world.move_in(doors[door], person, **days)
            except (ResidenceOverlaps, AlreadyMember):
                continue

        for day in range(1, 32):
            assert len(world.homes(person, on=f"2026-01-{day:02}")["items"]) <= 1
        undone.rollback()


def test_a_household_with_people_in_it_is_not_closed(world, home, person):
    member = world.move_in(home, person)["id"]

    with pytest.raises(HouseholdInhabited):
        world.close_household(home)
    world.move_out(home, member)
    world.close_household(home)

    with pytest.raises(HouseholdIsClosed):
        world.move_in(home, person)


@pytest.mark.parametrize(
    ("days", "fault"),
    [
        ({"from": "2999-01-01"}, ("/from", "in_the_future")),
        ({"from": "2020-01-01", "to": "2999-01-01"}, ("/to", "in_the_future")),
        ({"from": "2020-01-02", "to": "2020-01-01"}, ("/to", "before_start")),
    ],
)
def test_a_stay_has_its_days_in_order_and_none_to_come(world, home, person, days, fault):
    with pytest.raises(Invalid) as refused:
        world.move_in(home, person, **days)
    assert pointers(refused) == {fault}


def test_a_stay_of_another_household_is_not_found(world, home, other, person):
    member = world.move_in(home, person)["id"]

    for refused in (
        lambda: world.move_out(other, member),
        lambda: world.amend_member(other, member, "child"),
        lambda: world.move_out(home, str(new_id())),
    ):
        with pytest.raises(NotFound):
            refused()


def test_people_see_the_household_that_they_live_in_and_no_other(world, home, other, person):
    member = world.move_in(home, person, **{"from": "2020-01-01"})["id"]
    myself = caller("own", "households.read", "residents.read", person=person)

    assert world.household(home, myself)["id"] == home
    assert people(world.members(home, myself)) == [person]
    assert [item["id"] for item in world.households(myself)["items"]] == [home]
    for refused in (
        lambda: world.household(other, myself),
        lambda: world.members(other, myself),
    ):
        with pytest.raises(NotFound):
            refused()
    with pytest.raises(Forbidden):
        world.move_out(home, member, None, myself)
    world.move_out(home, member, "2026-10-01")
    with pytest.raises(NotFound):
        world.household(home, myself)


def test_whoever_is_looked_at_or_moved_finds_it_in_their_audit(world, home, person):
    member = world.move_in(home, person)["id"]
    world.members(home)
    world.homes(person)
    world.move_out(home, member)

    entries = [
        (entry["action"], entry["kind"], entry["fields"])
        for entry in world.audit_of(person)["items"]
    ]
    assert entries[:4] == [
        ("change", "household", ["household"]),
        ("read", "resident", ["household"]),
        ("list", "resident", ["household", "name"]),
        ("change", "household", ["household"]),
    ]


def test_a_household_s_people_are_read_by_index_whatever_the_past_was(owner_session):
    """In a town of 4,000 homes with two thousand people who have moved out of twenty of them."""
    a_town(owner_session, buildings=100, doors=40)
    world = World(owner_session)
    its_people(owner_session, past=2_000)
    household = world.households(limit=1)["items"][0]["id"]

    present = plan_of(owner_session, lambda: world.members(household))
    past = plan_of(owner_session, lambda: world.members(household, past=True))
    on_a_day = plan_of(owner_session, lambda: world.members(household, on="2020-06-01"))
    listed = plan_of(owner_session, lambda: world.households(within=COMMUNITY, limit=200))

    assert "household_members_present" in present
    assert "household_members_past" in past
    assert "household_members_once" in on_a_day
    for plan in (present, past, on_a_day):
        assert "Seq Scan on household_members" not in plan
    assert "Seq Scan on household" not in listed
    assert "Sort" not in listed


def test_a_household_is_an_anchor_while_somebody_there_has_the_duty(world, home, other, person):
    """中心户: between the building's chief and the neighbours."""
    member = world.move_in(home, person, **{"from": "2020-01-01"})["id"]
    duty = world.start_duty(person, "anchor_household", area=BUILDING, **{"from": "2020-01-01"})

    assert world.household(home)["anchor"] is True
    assert [item["id"] for item in world.households(anchor=True)["items"]] == [home]
    assert [item["id"] for item in world.households(anchor=False)["items"]] == [other]
    world.end_duty(duty["id"], "2026-10-01")
    assert world.household(home)["anchor"] is False
    world.end_duty(duty["id"], None)
    world.move_out(home, member, "2026-10-01")
    assert world.household(home)["anchor"] is False


def test_whoever_moves_in_sees_nobody_who_lived_there_before_them(world, home):
    before, grandmother, me = (world.register(area=BUILDING)["id"] for _ in range(3))
    world.move_in(home, before, **{"from": "2015-01-01", "to": "2020-05-01"})
    world.move_in(home, grandmother, **{"from": "2019-01-01", "to": "2024-03-01"})
    world.move_in(home, me, **{"from": "2020-05-01"})
    mine = caller("own", "households.read", person=me)

    assert people(world.members(home, mine)) == [me]
    assert people(world.members(home, mine, past=True)) == [grandmother]
    assert people(world.members(home, mine, on="2019-06-01")) == [grandmother]
    assert people(world.members(home, mine, on="2015-06-01")) == []
    assert people(world.members(home, mine, on="2020-05-01")) == [grandmother, me]


def test_who_records_households_sees_who_lived_there_also_where_they_live_themselves(world, home):
    before, me = (world.register(area=BUILDING)["id"] for _ in range(2))
    world.move_in(home, before, **{"from": "2015-01-01", "to": "2020-04-30"})
    world.move_in(home, me, **{"from": "2020-05-01"})
    worker = caller(f"area:{GRID}", "households.read", person=me)

    assert people(world.members(home, worker, past=True)) == [before]
