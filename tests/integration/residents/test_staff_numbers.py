"""Nobody gives a colleague a phone or an ID number of their own choice."""

from datetime import timedelta

import pytest

from chassis import clock
from services.residents.errors import NumbersOfStaff
from tests.integration.residents.world import COMMUNITY, a_phone, an_id_number, caller

CLERK = f"area:{COMMUNITY}"
HERE = f"{COMMUNITY}.e1"


def day(offset):
    return (clock.local(clock.now()).date() + timedelta(days=offset)).isoformat()


def colleague(world, role="secretary", area=COMMUNITY, **duty):
    """Somebody registered in the clerk's area, with a duty."""
    world.add_community("e1")
    person = world.register("周敏", phone=a_phone(), id_number=an_id_number(), area=HERE)["id"]
    made = world.start_duty(person, role, **({"area": area} if area else {}), **duty)
    return person, made["id"]


@pytest.mark.parametrize("reach", [CLERK, f"area:{HERE}"])
@pytest.mark.parametrize("role", ["secretary", "mediator"])
@pytest.mark.parametrize("field", ["phone", "id_number"])
def test_a_number_of_somebody_with_a_duty_is_not_for_colleagues_to_change(
    world, field, role, reach
):
    person, _ = colleague(world, role, COMMUNITY if role == "secretary" else HERE)
    number = {"phone": a_phone, "id_number": an_id_number}[field]()
    shown = world.resident(person)[field]

    for value in (number, None):
        with pytest.raises(NumbersOfStaff) as refused:
            world.amend(person, caller(reach), **{field: value})

    assert (refused.value.operation, str(refused.value.subject.id)) == ("residents.write", person)
    assert world.resident(person)[field] == shown


@pytest.mark.parametrize("scope", [{"role": "administrator"}, {"role": "department_clerk"}])
def test_it_is_so_for_duties_that_lie_in_no_area(world, scope):
    where = {"area": None}
    if scope["role"] == "department_clerk":
        world.add_department("water")
        where["department"] = "water"
    person, _ = colleague(world, **scope, **where)

    with pytest.raises(NumbersOfStaff):
        world.amend(person, caller(CLERK), phone=a_phone())


def test_whoever_will_have_a_duty_is_protected_until_it_is_revoked(world):
    person, duty = colleague(world, **{"from": day(7)})
    with pytest.raises(NumbersOfStaff):
        world.amend(person, caller(CLERK), phone=a_phone())

    world.end_duty(duty, day(6))

    assert world.amend(person, caller(CLERK), phone=a_phone())


def test_whose_duty_is_over_is_a_resident_like_any_other(world):
    person, _ = colleague(world, "clerk", **{"from": "2026-01-01", "to": day(-1)})
    phone = a_phone()

    assert world.amend(person, caller(CLERK), phone=phone)["phone"].endswith(phone[-4:])


def test_what_else_is_recorded_of_a_colleague_is_amended_as_ever(world):
    person, _ = colleague(world)
    phone = a_phone()
    world.amend(person, phone=phone)

    # The number that is there already changes nothing.
    amended = world.amend(person, caller(CLERK), name="周小敏", address="新址", phone=phone)

    assert (amended["name"], amended["address"]) == ("周小敏", "新址")


def test_an_administrator_and_the_person_themselves_change_it(world):
    person, _ = colleague(world)
    for call in (caller(), caller(CLERK, person=person)):
        phone = a_phone()
        assert world.amend(person, call, phone=phone)["phone"].endswith(phone[-4:])


def test_registering_somebody_known_by_phone_adds_no_number_to_a_colleague(world):
    world.add_community("e1")
    phone = a_phone()
    known = world.ensure(phone)
    world.start_duty(known, "clerk", area=COMMUNITY)
    told = {"phone": phone, "id_number": an_id_number(), "area": HERE}

    with pytest.raises(NumbersOfStaff):
        world.register("李静", call=caller(CLERK), **told)

    assert world.resident(known)["id_number"] is None
    assert world.register("李静", **told)["id"] == known
