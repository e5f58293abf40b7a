"""Which role belongs to what, and what days a duty may have."""

from datetime import date

import pytest

from services.residents import duty_rules
from services.residents.area_codes import LEVELS

DAY = date(2026, 11, 1)


def codes_of(role, level, department=None):
    return {(field, code) for field, code, _ in duty_rules.faults(role, level, department)}


@pytest.mark.parametrize(
    ("role", "level"),
    [
        ("secretary", "community"),
        ("clerk", "community"),
        ("grid_head", "estate"),
        ("grid_worker", "grid"),
        ("building_chief", "building"),
        ("anchor_household", "unit"),
        ("mediator", "community"),
        ("administrator", None),
        ("administrator", "district"),
    ],
)
def test_a_role_at_its_own_level_is_in_order(role, level):
    assert codes_of(role, level) == set()


@pytest.mark.parametrize(
    ("role", "level"),
    [("secretary", "building"), ("grid_worker", "district"), ("building_chief", "community")],
)
def test_a_role_at_another_level_is_refused(role, level):
    assert codes_of(role, level) == {("area", "wrong_level")}


def test_roles_of_places_need_one():
    for role in duty_rules.ROLES.keys() - {"administrator", "department_clerk"}:
        assert codes_of(role, None) == {("area", "required")}


def test_only_a_department_clerk_has_a_department_and_needs_one():
    assert codes_of("department_clerk", None, "water") == set()
    assert codes_of("department_clerk", "community", "water") == set()
    assert codes_of("department_clerk", None) == {("department", "required")}
    assert codes_of("clerk", "community", "water") == {("department", "not_for_role")}


def test_every_level_has_a_role():
    assert set().union(*(scope.levels for scope in duty_rules.ROLES.values())) == set(LEVELS)


@pytest.mark.parametrize(
    ("ends", "early"),
    [
        (None, False),
        (date(2026, 11, 2), False),
        (date(2026, 11, 1), False),
        (date(2026, 10, 31), False),
        (date(2026, 10, 30), True),
    ],
)
def test_a_duty_may_end_on_its_first_day_or_never_begin_but_not_end_earlier(ends, early):
    assert duty_rules.ends_too_early(DAY, ends) is early
