"""Grants held against places, people, duties and departments."""

from uuid import UUID

import pytest

from chassis.call import Actor, Call, Grant, system_call
from chassis.errors import Forbidden, NotFound
from services.residents import reach

ME = UUID("019a0000-0000-7000-8000-000000000001")
OTHER = UUID("019a0000-0000-7000-8000-000000000002")
COMMUNITY = "340603008002"


def caller(*grants, kind="person", actor_id=str(ME)):
    """A call by me with `(reach, operation, …)` grants."""
    return Call(
        actor=Actor(actor_id, kind),
        grants=tuple(Grant(where, frozenset(may)) for where, *may in grants),
    )


@pytest.mark.parametrize(
    ("granted", "area", "holds"),
    [
        ("any", "340603008002.e1", True),
        ("public", "340603008002.e1", True),
        (f"area:{COMMUNITY}", COMMUNITY, True),
        (f"area:{COMMUNITY}", "340603008002.e1.g1", True),
        (f"area:{COMMUNITY}", "340603008003", False),
        (f"area:{COMMUNITY}", "340603008000", False),
        ("area:340603008002.e1", "340603008002.e10", False),
        ("own", COMMUNITY, False),
        ("holder", COMMUNITY, False),
        ("department:water", COMMUNITY, False),
    ],
)
def test_a_place_lies_in_the_reach_of_whatever_holds_it(granted, area, holds):
    assert reach.of_area(area)(granted) is holds


@pytest.mark.parametrize(
    ("granted", "resident", "area", "holds"),
    [
        ("own", ME, None, True),
        ("own", OTHER, None, False),
        ("own", None, None, False),
        ("any", OTHER, None, True),
        ("public", OTHER, COMMUNITY, False),
        (f"area:{COMMUNITY}", OTHER, COMMUNITY, True),
        (f"area:{COMMUNITY}", OTHER, None, False),
    ],
)
def test_a_person_lies_in_the_reach_of_their_place_and_of_themselves(
    granted, resident, area, holds
):
    assert reach.of_resident(caller(), resident, area)(granted) is holds


def test_a_duty_lies_in_the_reach_of_its_person_its_place_and_its_department():
    holds = reach.of_duty(caller(), ME, COMMUNITY, "water")

    assert all(map(holds, ["own", f"area:{COMMUNITY}", "department:water", "any"]))
    assert not any(map(holds, ["public", "department:roads", "department:", "area:340603008003"]))


def test_a_duty_without_a_department_lies_in_the_reach_of_none():
    assert not reach.of_duty(caller(), OTHER, None, None)("department:None")


def test_an_api_key_of_a_department_owns_no_person_s_things():
    as_department = caller(("own", "residents.read"), kind="department", actor_id=str(ME))

    assert not reach.of_resident(as_department, ME, None)("own")
    assert reach.scope(as_department, "residents.read").person is None


def test_who_may_not_see_a_thing_is_told_that_there_is_none():
    with pytest.raises(NotFound):
        reach.demand(caller(), reach.of_area(COMMUNITY), "areas.write")
    with pytest.raises(NotFound):
        reach.demand(caller(("any", "departments.read")), reach.of_area(COMMUNITY), "areas.write")


def test_who_may_see_a_thing_but_not_change_it_is_told_so():
    with pytest.raises(Forbidden):
        reach.demand(caller(("any", "areas.read")), reach.of_area(COMMUNITY), "areas.write")


def test_who_may_change_a_thing_may_change_it():
    reach.demand(caller(("any", "areas.write")), reach.of_area(COMMUNITY), "areas.write")


def test_our_own_services_need_no_grants():
    reach.demand(system_call("tickets"), reach.of_area(COMMUNITY), "areas.write")
    reach.demand_to_add(system_call("tickets"), reach.of_area(COMMUNITY), "areas.write")

    assert reach.scope(system_call("tickets"), "areas.read").everything


def test_making_what_one_may_not_make_is_forbidden():
    with pytest.raises(Forbidden):
        reach.demand_to_add(caller(("any", "areas.read")), reach.of_area(COMMUNITY), "areas.write")


def test_a_scope_gathers_what_a_list_may_show():
    call = caller(
        ("own", "duties.read"),
        (f"area:{COMMUNITY}", "duties.read", "residents.read"),
        ("department:water", "duties.read"),
        ("any", "areas.read"),
    )

    assert reach.scope(call, "duties.read") == reach.Scope(
        areas=(COMMUNITY,), departments=("water",), person=ME
    )
    assert reach.scope(call, "residents.read") == reach.Scope(areas=(COMMUNITY,))
    assert reach.scope(call, "areas.read").everything
    assert reach.scope(call, "departments.read") == reach.Scope()


def test_what_is_public_is_listed_for_everybody_where_that_is_meant():
    call = caller(("public", "areas.read", "residents.read"))

    assert reach.scope(call, "areas.read", reach.OPEN).everything
    assert not reach.scope(call, "residents.read").everything
