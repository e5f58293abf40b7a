"""The community of the month: its places, its staff, and made-up people behind 1,100 doors. The
same at every run.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from faker import Faker
from stdnum.cn import ric

from deploy.demo.plan import (
    BUILDINGS_OF_A_GRID,
    CLERK,
    SECOND_CLERK,
    SECRETARY,
    Issue,
    grid_of,
)

COMMUNITY = "370102001099"
PLACES = {
    "370102000000": ("历下区", "Lixia District"),
    "370102001000": ("解放路街道", "Jiefang Road Sub-district"),
    COMMUNITY: ("九苑社区", "Nine Estates Community"),
}
ESTATES = ("东苑", "西苑", "南苑", "北苑", "和苑", "安苑", "康苑", "福苑", "寿苑")
# The first three estates have two grids each.
_ESTATE_OF_GRID = (1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9)
BUILDINGS = len(_ESTATE_OF_GRID) * BUILDINGS_OF_A_GRID
UNITS_OF_A_BUILDING = 2
DEPARTMENTS = {
    "heating": ("热力公司", "Heating company"),
    "water": ("供水公司", "Water company"),
    "property": ("物业公司", "Property company"),
}
SINCE = "2025-09-01"
_HOUSEHOLDS, _SEED = 1_100, 20251101
# Of eleven households three are of two people, the others of three: 3,000 in all.
_OF_TWO = frozenset({0, 4, 8})
_NEWEST, _OLDEST = date(1995, 1, 1), date(1938, 1, 1)


@dataclass(frozen=True)
class Duty:
    """Somebody on duty: `area` of the community or, for a department's clerk, `department`."""

    actor: str
    name: str
    phone: str
    role: str
    area: str | None = None
    department: str | None = None


@dataclass(frozen=True)
class Person:
    """Somebody who lives here; children have no phone."""

    name: str
    phone: str | None
    id_number: str
    area: str


@dataclass(frozen=True)
class Household:
    """The people behind one door; the first is its head."""

    area: str
    door: str
    people: Sequence[Person]


def grid(number: int) -> str:
    """The area of a grid."""
    return f"{COMMUNITY}.e{_ESTATE_OF_GRID[number - 1]}.g{number}"


def building(number: int) -> str:
    """The area of a building."""
    return f"{grid(grid_of(number))}.b{number}"


def places() -> dict[str, tuple[str, str]]:
    """Every place, parents before children, with its names in Chinese and English."""
    every = dict(PLACES)
    for number, name in enumerate(ESTATES, 1):
        every[f"{COMMUNITY}.e{number}"] = (f"{name}小区", f"Estate {number}")
    for number in range(1, len(_ESTATE_OF_GRID) + 1):
        every[grid(number)] = (f"第{number}网格", f"Grid {number}")
    for number in range(1, BUILDINGS + 1):
        every[building(number)] = (f"{number}号楼", f"Building {number}")
        for unit in range(1, UNITS_OF_A_BUILDING + 1):
            every[f"{building(number)}.u{unit}"] = (f"{unit}单元", f"Unit {unit}")
    return every


def staff() -> list[Duty]:
    """Everybody on duty: the office, a grid worker a grid, a chief a building, the departments."""
    names = _people()
    grids = range(1, len(_ESTATE_OF_GRID) + 1)
    wanted = [
        (SECRETARY, "secretary", COMMUNITY, None),
        (CLERK, "clerk", COMMUNITY, None),
        (SECOND_CLERK, "clerk", COMMUNITY, None),
        *((f"grid_{number}", "grid_worker", grid(number), None) for number in grids),
        *(
            (f"chief_{number}", "building_chief", building(number), None)
            for number in range(1, BUILDINGS + 1)
        ),
        *((code, "department_clerk", None, code) for code in DEPARTMENTS),
    ]
    return [
        Duty(actor, names.name(), _phone(number), role, area, department)
        for number, (actor, role, area, department) in enumerate(wanted)
    ]


def households() -> Iterator[Household]:
    """All 1,100 of them, building by building."""
    names, chance = _people(), random.Random(_SEED)  # noqa: S311  (made-up people are no secret)
    number = 0
    for at in range(1, BUILDINGS + 1):
        # Twenty buildings of 31 doors, sixteen of 30.
        for door in range(_HOUSEHOLDS // BUILDINGS + (at <= _HOUSEHOLDS % BUILDINGS)):
            yield _household(names, chance, number, at, door)
            number += 1


def reporters(issues: Sequence[Issue]) -> dict[str, Person]:
    """Who raised each issue, by actor: a household's head, of its building's doors the next one."""
    doors: dict[str, list[Household]] = defaultdict(list)
    for household in households():
        doors[household.area.rpartition(".")[0]].append(household)
    return {issue.reporter: doors[building(issue.building)].pop(0).people[0] for issue in issues}


def _household(names: Faker, chance: random.Random, number: int, at: int, door: int) -> Household:
    unit, place = divmod(door, 16)
    area = f"{building(at)}.u{unit + 1}"
    size = 2 if number % 11 in _OF_TWO else 3
    people = [
        Person(
            names.name(),
            _phone(1_000 + 10 * number + member) if member < 2 else None,
            _id_number(chance, number * 3 + member),
            area,
        )
        for member in range(size)
    ]
    return Household(area, f"{unit + 1}单元{place // 3 + 1}0{place % 3 + 1}", people)


def _people() -> Faker:
    names = Faker("zh_CN")
    names.seed_instance(_SEED)
    return names


def _phone(number: int) -> str:
    return f"1390{number:07d}"


def _id_number(chance: random.Random, number: int) -> str:
    born = _OLDEST + timedelta(days=chance.randrange((_NEWEST - _OLDEST).days))
    # Two people born on one day need two numbers.
    body = f"370102{born:%Y%m%d}{number % 1000:03d}"
    return body + str(ric.calc_check_digit(body + "0"))
