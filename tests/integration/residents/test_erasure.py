"""A person is erased: nothing of them can be read or found again, and the figures stay."""

from importlib import import_module

import pytest
from sqlalchemy import select, text, update

from chassis import clock
from chassis.errors import Invalid, NotFound
from services.residents.errors import OnDuty
from services.residents.models import Resident, ResidentKey
from services.residents.reach import Denied, Hidden
from tests.integration.residents.world import COMMUNITY, a_phone, an_id_number, caller

VERSIONS = "services.residents.migrations.versions"
DWELLING = (f"{COMMUNITY}.e1", "501")


@pytest.fixture
def somebody(world):
    """A person of whom everything is recorded, and their numbers."""
    world.add_community("e1")
    numbers = {"phone": a_phone(), "id_number": an_id_number()}
    person = world.register(
        "王小明", **numbers, email="wang@mail.example", address="501", area=f"{COMMUNITY}.e1"
    )
    return person["id"], numbers


def today():
    return clock.local(clock.now()).date().isoformat()


def row(world, person):
    world.session.expire_all()
    return world.session.scalars(select(Resident).where(Resident.id == person)).one()


def test_whoever_is_erased_is_nobody_any_more(world, somebody):
    person, numbers = somebody

    world.erase(person)

    shown = world.resident(person)
    assert {shown[field] for field in ("name", "phone", "id_number", "email", "address")} == {None}
    for field, number in numbers.items():
        assert world.find(**{field: number})["items"] == []
    assert world.find(within=COMMUNITY)["items"] == []
    assert world.contact(person)["phone"] is None
    assert world.session.get(ResidentKey, row(world, person).id) is None


def test_that_there_was_somebody_stays_for_the_figures(world, somebody):
    person, _ = somebody

    world.erase(person)

    left = row(world, person)
    assert (left.area, left.erased_at is None) == (f"{COMMUNITY}.e1", False)
    personal = {name: value for name, value in vars(left).items() if isinstance(value, bytes)}
    assert personal == {}


@pytest.mark.parametrize("reach", ["any", "own"])
def test_whoever_is_erased_lives_nowhere_and_needs_no_care(world, somebody, reach):
    person, _ = somebody
    home = world.register_household(*DWELLING, head=person, **{"from": "2020-01-01"})["id"]
    world.give_care_tag(person, "elder_alone", note="每周三上门")
    ended = world.give_care_tag(person, "disabled")["id"]
    world.end_care_tag(person, ended)

    world.erase(person, caller(reach, "residents.erase", person=person))

    assert world.care_tags()["items"] == world.care_tags_of(person)["items"] == []
    assert world.rows("care_tags") == []
    assert world.household(home)["head"] is None
    assert world.members(home)["items"] == world.homes(person)["items"] == []
    assert len(world.members(home, on="2026-10-31")["items"]) == 1
    assert [event["type"].split(".")[-2] for event in world.events_of(person)][-2:] == [
        "resident_moved_out",
        "resident_erased",
    ]


def test_a_home_goes_on_without_the_erased(world, somebody):
    person, numbers = somebody
    home = world.register_household(*DWELLING, head=person, **{"from": "2020-01-01"})["id"]
    world.erase(person)

    back = world.register(**numbers, area=f"{COMMUNITY}.e1")["id"]
    stay = world.move_in(home, back, relation="head", **{"from": today()})
    assert world.household(home)["head"] == back

    world.move_out(home, stay["id"], today())
    assert world.close_household(home, today())["to"] == today()


def test_who_was_erased_before_stays_ended_is_moved_out_by_the_migration(world, somebody):
    person, _ = somebody
    other = world.register(area=f"{COMMUNITY}.e1")["id"]
    home = world.register_household(*DWELLING, head=person, **{"from": "2020-01-01"})["id"]
    world.move_in(home, other, relation="spouse")
    world.give_care_tag(person, "elder_alone"), world.give_care_tag(other, "disabled")
    before = update(Resident).where(Resident.id == person).values(erased_at=clock.now())
    world.session.execute(before)

    for statement in import_module(f"{VERSIONS}.0015_homes_of_the_erased").MENDED:
        world.session.execute(text(statement))
    world.session.expire_all()

    assert [stay["resident"] for stay in world.members(home)["items"]] == [other]
    assert len(world.rows("care_tags")) == 1
    assert world.household(home)["head"] is None


def test_the_same_number_makes_somebody_new(world, somebody):
    person, numbers = somebody
    world.erase(person)

    assert world.ensure(numbers["phone"]) != person


def test_an_erasure_is_told_once_and_says_who_and_nothing_else(world, somebody):
    person, _ = somebody

    first, second = world.erase(person), world.erase(person)

    assert first["id"] == second["id"] == person
    told = [event for event in world.events_of(person) if "erased" in event["type"]]
    assert [event["data"] for event in told] == [{"resident": person}]
    entries = world.audit(action="erase")["items"]
    assert [(entry["subject"], entry["reason"]) for entry in entries] == [(person, "本人申请")]


def test_people_have_themselves_erased_and_need_not_say_why(world, somebody):
    person, numbers = somebody
    world.amend(person, phone=a_phone())
    myself = caller("own", person=person)

    world.erase(person, myself, reason=None)

    assert world.resident(person)["name"] is None
    assert world.find(id_number=numbers["id_number"])["items"] == []
    assert world.rows("phone_changes") == []
    [entry] = world.audit(action="erase")["items"]
    assert (entry["actor"]["id"], entry["reason"]) == (person, None)


def test_nobody_has_somebody_else_erased_without_a_reason_or_at_all(world, somebody):
    person, _ = somebody

    with pytest.raises(Hidden):
        world.erase(person, caller("own"))
    with pytest.raises(Invalid) as refused:
        world.erase(person, reason=None)

    assert refused.value.errors[0]["pointer"] == "/reason"
    assert world.resident(person)["name"] == "王小明"


def test_whoever_has_a_duty_is_not_erased(world, somebody):
    person, _ = somebody
    duty = world.start_duty(person, "clerk", area=COMMUNITY)
    for call in (caller(), caller("own", person=person)):
        with pytest.raises(OnDuty):
            world.erase(person, call)

    world.end_duty(duty["id"], "2026-11-02")

    assert world.erase(person)["erased_at"]


def test_nothing_can_be_recorded_of_the_erased(world, somebody):
    person, _ = somebody
    world.erase(person)

    with pytest.raises(NotFound):
        world.amend(person, name="x")


def test_erasing_needs_its_own_right(world, somebody):
    person, _ = somebody

    with pytest.raises(Denied):
        world.erase(person, caller(f"area:{COMMUNITY}", "residents.write"))
    with pytest.raises(Hidden):
        world.erase(person, caller("area:340603008003"))
    with pytest.raises(NotFound):
        world.erase("01890a5d-ac96-774b-bcce-b302099a8057")
    assert row(world, person).erased_at is None


def test_a_number_in_the_reason_is_masked(world, somebody):
    person, numbers = somebody

    world.erase(person, reason=f"来电 {numbers['phone']}")

    assert numbers["phone"] not in world.audit(action="erase")["items"][0]["reason"]


def test_a_duty_needs_somebody(world, somebody):
    person, _ = somebody
    world.erase(person)

    with pytest.raises(Invalid):
        world.start_duty(person, "clerk", area=COMMUNITY)
