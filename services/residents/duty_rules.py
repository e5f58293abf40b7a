"""Duties: which role belongs to what kind of place, and on which days a duty is in force.

Days are calendar days in the local zone (+08:00), both ends included: a duty whose last day is
today is in force until midnight. A last day right before the first says that the duty never came
into force, or was revoked on its first day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from services.residents.area_codes import LEVELS


@dataclass(frozen=True)
class Scope:
    """What a role refers to: an area of one of `levels` (needed if `area`), and a department
    (allowed only if needed).
    """

    levels: frozenset[str]
    area: bool = True
    department: bool = False


def _from(top: str, bottom: str) -> frozenset[str]:
    return frozenset(LEVELS[LEVELS.index(top) : LEVELS.index(bottom) + 1])


ROLES = {
    "secretary": Scope(_from("district", "community")),
    "clerk": Scope(_from("district", "community")),
    "grid_head": Scope(_from("community", "grid")),
    "grid_worker": Scope(_from("community", "grid")),
    "building_chief": Scope(_from("building", "unit")),
    "anchor_household": Scope(_from("grid", "unit")),
    "mediator": Scope(_from("community", "unit")),
    "department_clerk": Scope(_from("district", "unit"), area=False, department=True),
    "administrator": Scope(_from("district", "unit"), area=False),
}


def faults(role: str, level: str | None, department: str | None) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a duty of `role` for an area of `level` and a department: (field, code,
    message) each.
    """
    scope = ROLES[role]
    if level is None and scope.area:
        yield "area", "required", "This role needs an area."
    if level is not None and level not in scope.levels:
        yield "area", "wrong_level", "This role is not held at this level."
    if department is None and scope.department:
        yield "department", "required", "This role needs a department."
    if department is not None and not scope.department:
        yield "department", "not_for_role", "This role has no department."


def ends_too_early(starts: date, ends: date | None) -> bool:
    """Whether the last day lies before the day that precedes the first."""
    return ends is not None and ends < starts - timedelta(days=1)
