"""Who may do what here: the grants of a call held against a place, a person, a duty or a
department.

The policy itself is not here: the caller's grants say which operations are allowed in which reach;
this module says which reaches hold for a thing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from chassis.call import Call
from chassis.errors import Forbidden, NotFound
from services.residents.area_codes import contains

Holds = Callable[[str], bool]


class Subject(NamedTuple):
    """What somebody wanted: a `resident` or another kind of thing, which one, and where it lies."""

    kind: str
    id: UUID | None = None
    area: str | None = None


class Hidden(NotFound):
    """There is no such thing."""

    def __init__(self, operation: str, subject: Subject | None) -> None:
        super().__init__()
        self.operation, self.subject = operation, subject


class Denied(Forbidden):
    """This is not yours to do."""

    def __init__(self, operation: str, subject: Subject | None) -> None:
        super().__init__()
        self.operation, self.subject = operation, subject


# Places and departments are no secret: what is granted to the public is granted for all of them.
OPEN = frozenset({"any", "public"})

# The services that are told how to reach people, in plain text.
REACH_PEOPLE = frozenset({"notifications"})


def of_area(code: str) -> Holds:
    """The reaches in which a place lies."""
    return lambda reach: reach in OPEN or _covers(reach, code)


def of_department(code: str) -> Holds:
    """The reaches in which a department lies."""
    return lambda reach: reach in OPEN or reach == f"department:{code}"


def of_resident(call: Call, resident: UUID | None, area: str | None) -> Holds:
    """The reaches in which a person lies who lives in `area`; `resident` is None for one to be
    registered.
    """
    own = resident is not None and person(call) == resident
    return lambda reach: reach == "any" or (own and reach == "own") or _covers(reach, area)


def of_household(area: str, *, own: bool = False) -> Holds:
    """The reaches in which a household in `area` lies; `own`: the caller lives in it."""
    return lambda reach: reach == "any" or (own and reach == "own") or _covers(reach, area)


def of_duty(call: Call, person: UUID, area: str | None, department: str | None) -> Holds:
    """The reaches in which a duty lies."""
    resident = of_resident(call, person, area)
    return lambda reach: (
        resident(reach) or (department is not None and reach == f"department:{department}")
    )


def demand(call: Call, holds: Holds, operation: str, subject: Subject | None = None) -> None:
    """Raise NotFound unless the caller may see the thing at all, and Forbidden unless `operation`
    (`areas.write`) is allowed. A refusal that names a `subject` goes into the audit.
    """
    if call.actor.kind == "system":
        return  # Our own services, which no client can pass for.
    may = call.may(holds)
    noun = operation.partition(".")[0]
    if not any(allowed.startswith(f"{noun}.") for allowed in may):
        raise Hidden(operation, subject)
    if operation not in may:
        raise Denied(operation, subject)


def demand_to_add(call: Call, holds: Holds, operation: str, subject: Subject | None = None) -> None:
    """Raise Forbidden unless the caller may make such a thing there: what is not yet cannot be
    hidden either. A refusal that names a `subject` goes into the audit.
    """
    if call.actor.kind != "system" and operation not in call.may(holds):
        raise Denied(operation, subject)


def demand_to_list(call: Call, operation: str, kind: str) -> None:
    """Raise Forbidden unless the caller may do `operation` in some reach; for the audit's sake."""
    if call.actor.kind != "system" and not call.reaches(operation):
        raise Denied(operation, Subject(kind))


@dataclass(frozen=True)
class Scope:
    """What a list may show: everything, or what lies in these places and departments or belongs to
    `person`.
    """

    everything: bool = False
    areas: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    person: UUID | None = None


def scope(call: Call, operation: str, everyone: frozenset[str] = frozenset({"any"})) -> Scope:
    """The scope in which the caller may do `operation`; empty if in none. Reaches in `everyone`
    hold for every row.
    """
    reaches = call.reaches(operation)
    return Scope(
        everything=call.actor.kind == "system" or not everyone.isdisjoint(reaches),
        areas=_values(reaches, "area"),
        departments=_values(reaches, "department"),
        person=person(call) if "own" in reaches else None,
    )


def person(call: Call) -> UUID | None:
    """Whose `own` things are meant: only people have any here."""
    try:
        return UUID(call.actor.id) if call.actor.kind == "person" and call.actor.id else None
    except ValueError:
        return None


def _covers(reach: str, code: str | None) -> bool:
    kind, _, outer = reach.partition(":")
    return kind == "area" and code is not None and contains(outer, code)


def _values(reaches: tuple[str, ...], kind: str) -> tuple[str, ...]:
    prefix = f"{kind}:"
    return tuple(reach.removeprefix(prefix) for reach in reaches if reach.startswith(prefix))
