"""Departments in a real database."""

import pytest

from chassis.errors import Forbidden, NotFound
from services.residents.errors import DepartmentExists
from tests.integration.residents.world import caller


def codes(page):
    return [item["code"] for item in page["items"]]


def test_a_department_is_added_and_told_to_everybody_it_concerns(world):
    added = world.add_department("water", names={"en": "Water"})

    assert added == {
        "code": "water",
        "name": "水务局",
        "names": {"zh": "水务局", "en": "Water"},
        "active": True,
        "version": 1,
    }
    (event,) = world.events("department")
    assert event["key"] == "department.added.v1.water.none"
    assert event["subject"] == "water"
    assert event["data"] == {key: added[key] for key in ("code", "name", "names", "active")}


def test_a_code_is_given_once_but_a_repeated_command_is_no_second_time(world):
    call = caller()
    first = world.add_department(call=call)

    assert world.add_department(call=call) == first
    with pytest.raises(DepartmentExists):
        world.add_department()
    assert len(world.events("department")) == 1


def test_closing_and_opening_are_changes_that_count_on(world):
    world.add_department("water")

    assert world.change_department("water", active=False)["version"] == 2
    assert world.change_department("water", active=False)["version"] == 2
    assert world.change_department("water", active=True)["version"] == 3
    changes = world.events("department_changed")
    assert [event["data"]["active"] for event in changes] == [False, True]
    assert [event["sequence"] for event in changes] == ["0000000002", "0000000003"]


def test_a_translation_can_be_given_without_a_new_name(world):
    world.add_department("water")

    changed = world.change_department("water", names={"en": "Water"})

    assert changed["name"] == "水务局"
    assert changed["names"] == {"zh": "水务局", "en": "Water"}


def test_departments_are_listed_by_code_for_everybody(world):
    for code in ("water", "gas", "roads"):
        world.add_department(code)
    world.change_department("gas", active=False)
    anybody = caller("any", "departments.read")

    page = world.departments(anybody, limit=2)

    assert codes(page) == ["gas", "roads"]
    assert codes(world.departments(anybody, after=page["next"])) == ["water"]
    assert codes(world.departments(anybody, active=True)) == ["roads", "water"]
    assert codes(world.departments(caller("department:gas"))) == ["gas"]
    assert codes(world.departments(caller("own"))) == []


def test_only_who_may_changes_departments(world):
    world.add_department("water")

    with pytest.raises(Forbidden):
        world.add_department("gas", caller("any", "departments.read"))
    with pytest.raises(Forbidden):
        world.change_department("water", caller("any", "departments.read"), active=False)
    with pytest.raises(NotFound):
        world.change_department("water", caller("department:gas"), active=False)
    with pytest.raises(NotFound):
        world.change_department("gas", active=False)


def test_who_works_for_a_department_is_listed_masked_and_this_is_audited(world):
    world.add_department("water")
    people = [world.register(name)["id"] for name in ("李水", "张管", "王走", "赵来")]
    given = [
        {"from": "2026-01-01"},
        {"from": "2026-02-01"},
        {"from": "2026-01-01", "to": "2026-03-31"},
    ]
    for person, days in zip(people, given, strict=False):
        world.start_duty(person, "department_clerk", department="water", **days)
    call = caller("department:water", "department_clerks.read")

    first = world.department_clerks("water", call=call, limit=1)
    second = world.department_clerks("water", call=call, after=first["next"])

    found = [*first["items"], *second["items"]]
    assert [(each["person"], each["name"]) for each in found] == [
        (people[0], "李**"),
        (people[1], "张**"),
    ]
    assert (found[0]["from"], found[0]["to"], second["next"]) == ("2026-01-01", None, None)
    entry = world.audit_of(people[0])["items"][0]
    assert (entry["action"], entry["fields"]) == ("list", ["name"])
    in_march = world.department_clerks("water", on="2026-03-01")
    assert [each["person"] for each in in_march["items"]] == people[:3]


@pytest.mark.parametrize("reach", ["department:gas", "own", "area:340603008002"])
def test_nobody_else_is_told_who_works_for_a_department(world, reach):
    world.add_department("water")

    with pytest.raises(Forbidden):
        world.department_clerks("water", call=caller(reach, "department_clerks.read"))
    with pytest.raises(NotFound):
        world.department_clerks("nobody")
