"""How many of the dwellings of a place have been recorded: counted from the index of open
households, which holds nothing of the past.
"""

from typing import Any

from sqlalchemy import Select, and_, func, select, true
from sqlalchemy.orm import Session

from chassis.call import Call
from services.residents import paging, queries, reach
from services.residents.models import Area, Household
from services.residents.queries import Order, Wanted
from services.residents.reach import Subject


def coverage(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """Dwellings of an area, how many of them have been recorded and their share, and a page of the
    same for the places right below it or for those of a `level` in it. Raises NotFound.
    """
    area = queries.get(session, Area, wanted["area"])
    about = Subject("household", area=area.code)
    reach.demand(call, reach.of_household(area.code), "households.read", about)
    (total,) = session.execute(_counted().where(Area.code == area.code))
    parts = (
        and_(Area.level == wanted["level"], queries.subtree(Area.tree_key, area.code))
        if "level" in wanted
        else Area.parent == area.code
    )
    order: Order = {"tree_key": (Area.tree_key, paging.text)}
    return {
        **_answer(total),
        **queries.paged(session, _counted().where(parts), order, wanted, _answer),
    }


def _counted() -> Select[Any]:
    """Places with the numbers of their dwellings."""
    inside = (
        select(func.count().label("dwellings"), func.count(Household.recorded_at).label("recorded"))
        .where(
            Household.ends.is_(None),
            # A range that the index serves although the place is not known beforehand.
            Household.tree_key >= Area.tree_key,
            Household.tree_key < Area.tree_key + queries.LAST,
        )
        .lateral("inside")
    )
    return select(Area.code, Area.tree_key, inside.c.dwellings, inside.c.recorded).select_from(
        Area.__table__.join(inside, true())
    )


def _answer(row: Any) -> dict[str, Any]:
    return {
        "area": row.code,
        "dwellings": row.dwellings,
        "recorded": row.recorded,
        "share": round(row.recorded / row.dwellings, 4) if row.dwellings else None,
    }
