"""The policy table, cell by cell: role × operation × reach."""

from pathlib import Path

import pytest

from services.gateway import policy
from services.gateway.policy import OPERATIONS, REACHES, SCOPES, TABLE, Role, allows, grants_for

COMMUNITY = "340603008002"


def held(role: str) -> Role:
    return Role(role, area=COMMUNITY, department="water")


def name_of(reach: str) -> str:
    code = {"area": COMMUNITY, "department": "water"}.get(reach)
    return f"{reach}:{code}" if code else reach


@pytest.mark.parametrize("role", TABLE)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_role_is_granted_what_its_row_says_and_nothing_else(role, operation):
    granted = {grant.reach: grant.may for grant in grants_for([held(role)])}

    for reach in REACHES:
        allowed = operation in granted.get(name_of(reach), frozenset())
        assert allowed == (operation in TABLE[role].get(reach, frozenset())), reach


@pytest.mark.parametrize("role", TABLE)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_allowed_somewhere_if_any_reach_of_the_row_has_it(role, operation):
    somewhere = any(operation in operations for operations in TABLE[role].values())

    assert allows(grants_for([held(role)]), operation) == somewhere


@pytest.mark.parametrize("role", TABLE)
@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_narrows_a_row_and_never_widens_it(role, scope):
    whole = {grant.reach: grant.may for grant in grants_for([held(role)])}
    open_to_all = {"categories.read", "areas.read", "departments.read"}

    for grant in grants_for([held(role)], {scope}):
        assert grant.may <= whole[grant.reach]
        assert grant.may <= SCOPES[scope] | open_to_all


def test_the_table_names_only_known_reaches_and_operations():
    for role, row in TABLE.items():
        assert set(row) <= set(REACHES), role
        assert frozenset().union(*row.values()) <= set(OPERATIONS), role


def test_every_operation_is_allowed_to_some_role():
    granted = {name for row in TABLE.values() for operations in row.values() for name in operations}

    assert granted == set(OPERATIONS)


def test_every_operation_but_the_public_ones_is_in_exactly_one_scope():
    scoped = [name for operations in SCOPES.values() for name in operations]

    assert len(scoped) == len(set(scoped))
    assert set(OPERATIONS) - set(scoped) == {"categories.read", "areas.read", "departments.read"}


def test_two_duties_are_granted_each_in_its_own_area():
    roles = [Role("grid_worker", area="340603008002.e1.g1"), Role("clerk", area="340603008003")]

    granted = {grant.reach: grant.may for grant in grants_for(roles)}

    assert "assignment" not in granted["area:340603008002.e1.g1"]
    assert "assignment" in granted["area:340603008003"]


def test_a_duty_without_its_area_or_department_grants_nothing_there():
    assert {grant.reach for grant in grants_for([Role("clerk")])} == {"holder"}
    assert {grant.reach for grant in grants_for([Role("department_clerk")])} == {"any"}


def test_an_unknown_role_grants_nothing():
    assert grants_for([Role("astronaut", area=COMMUNITY)]) == ()


@pytest.mark.parametrize("reach", REACHES)
def test_an_administrator_reads_no_ticket(reach):
    assert "read" not in TABLE["administrator"].get(reach, frozenset())


def test_only_a_secretary_overrides():
    assert [role for role in TABLE if allows(grants_for([held(role)]), "override")] == ["secretary"]


def test_only_a_key_with_the_import_scope_may_say_when_something_happened():
    for role in TABLE:
        assert not allows(grants_for([held(role)]), "import") or role == "machine"
    key = [held("administrator"), Role("machine")]

    assert allows(grants_for(key, {"import"}), "import")
    assert not allows(grants_for(key, {"tickets:write"}), "import")


def test_a_role_is_told_with_only_what_it_has():
    assert Role("resident").to_json() == {"role": "resident"}
    assert Role("clerk", area="1").to_json() == {"role": "clerk", "area": "1"}


def test_the_printed_table_is_current():
    printed = Path("docs/permissions.md").read_text(encoding="utf-8")

    assert printed == policy.matrix(), (
        "run: python -m services.gateway.policy > docs/permissions.md"
    )
