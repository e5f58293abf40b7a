"""A town in the registry's tables, larger than commands would make it in a test's time."""

from datetime import date, timedelta

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from chassis.ids import new_id
from services.residents import area_codes, placement, sealing
from services.residents.models import Area, Household, Member, Resident
from services.residents.personal import Personal
from tests.integration.residents.world import COMMUNITY, MOMENT, VAULT, World

GRIDS = 5
_START = date(2020, 1, 1)


def a_town(session: Session, *, buildings: int, doors: int, past: int = 0) -> list[str]:
    """The demo community with one estate of five grids, which share the buildings; in each as many
    households as it has doors, and `past` ones that are no more. Gives the buildings' codes.
    """
    World(session).add_community("e1", *(f"e1.g{grid + 1}" for grid in range(GRIDS)))
    places = [f"{COMMUNITY}.e1.g{number % GRIDS + 1}.b{number + 1}" for number in range(buildings)]
    columns = {"level": "building", "name": "", "names": {}, "sequence": 1, "created_at": MOMENT}
    session.execute(
        insert(Area),
        [{"code": code, "tree_key": area_codes.tree_key(code), **columns} for code in places],
    )
    session.execute(
        insert(Household),
        [
            _household(place, number, date(2026, 1, 1) if number >= doors else None)
            for place in places
            for number in range(doors + past)
        ],
    )
    session.execute(text("ANALYZE households"))
    return places


def _household(area: str, number: int, ends: date | None) -> dict[str, object]:
    household = new_id()
    wrapped, key = VAULT.new_key(household, "households")
    return {
        "id": household,
        "key_id": wrapped.key_id,
        "wrapped": wrapped.wrapped,
        **sealing.door(VAULT, key, area, Personal(str(number))),
        "area": area,
        "tree_key": area_codes.tree_key(area),
        "grid": placement.place(area, "grid"),
        "building": area,
        "tenure": "owned",
        "starts": _START,
        "ends": ends,
        "registered_at": MOMENT,
        "sequence": 1,
    }


def its_people(session: Session, *, past: int) -> None:
    """A head for every household that is there, and `past` people who have left one of the first
    twenty, each after a day.
    """
    homes = session.scalars(
        select(Household.id).where(Household.ends.is_(None)).order_by(Household.tree_key, "id")
    ).all()
    people = [new_id() for _ in range(len(homes) + past)]
    columns = {"tree_key": "", "locale": "zh-CN", "sequence": 1}
    columns |= {"registered_at": MOMENT, "used_at": MOMENT}
    session.execute(insert(Resident), [{"id": person, **columns} for person in people])
    stays = [
        *((home, people[number], "head", _START, None) for number, home in enumerate(homes)),
        *(
            (homes[days % 20], person, "other", _START + timedelta(days), _START + timedelta(days))
            for days, person in enumerate(people[len(homes) :])
        ),
    ]
    session.execute(
        insert(Member),
        [
            {
                "id": new_id(),
                "household": home,
                "resident": person,
                "relation": relation,
                "registered": True,
                "starts": starts,
                "ends": ends,
                "sequence": 1,
            }
            for home, person, relation, starts, ends in stays
        ],
    )
    session.execute(text("ANALYZE residents, household_members"))
