"""The rates of a period and a place, counted from figures, and which tickets are behind each.

What a rate is stands in figures.py. Here is only whose tickets, filed when and where, are counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, null, or_, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call
from services.tickets import numbers, projections, scope, views, wall
from services.tickets.categories import TREE
from services.tickets.errors import fault
from services.tickets.figures import RATES, Part
from services.tickets.models import FIGURES

Query = Mapping[str, Any]
# A year, so that nobody's question grows with all that ever happened.
LONGEST = timedelta(days=366)
# What of a ticket's list the figures answer, as it was at the time that was asked about.
FILTERS = ("area", "department", "category", "channel", "from", "to")
_PARTS: Mapping[str, Sequence[Part]] = {
    "numerator": (Part.NUMERATOR,),
    "denominator": (Part.NUMERATOR, Part.REST),
    "excluded": (Part.EXCLUDED,),
}
PARTS = tuple(_PARTS)


@dataclass(frozen=True)
class Period:
    """From the first day to the last one, both included; `as_of`: the day at whose end it is
    answered, None for now.
    """

    first: date
    last: date
    as_of: date | None


def period(query: Query, today: date) -> Period:
    """The days that a query is about: without any, this month's until today. Raises Invalid
    (before_start, period_too_long).
    """
    as_of = query.get("as_of")
    last = query.get("to") or as_of or today
    first = query.get("from") or last.replace(day=1)
    if last < first:
        raise fault("/to", "before_start", "The last day is before the first.")
    if last - first >= LONGEST:
        raise fault("/from", "period_too_long", "At most a year.")
    return Period(first, last, as_of)


def rates(session: Session, call: Call, query: Query) -> dict[str, Any]:
    """The four rates over all that the caller may see figures of, and `by` something if wanted.
    With each go the filters that find it again. Raises Invalid for an impossible period, and as
    `scope.require` does.
    """
    asked = period(query, numbers.day_of(clock.now()))
    scope.require(session, call, query, "figures.read")
    groups = session.execute(counted(call, query, asked)).all()
    filters = _filters(query, asked)
    return {
        **filters,
        "by": query.get("by"),
        "filters": filters,
        **_numbers(groups),
        "items": _items(session, call, query, filters, groups) if query.get("by") else [],
    }


def counted(call: Call, query: Query, asked: Period) -> Select[Any]:
    """The query behind rates: how many tickets are which part of which rate, by group."""
    key = _key(query)
    counts = [
        func.count().filter(FIGURES.c[rate] == part).label(f"{rate}_{part}")
        for rate in RATES
        for part in Part
    ]
    chosen = select(key.label("key"), *counts).where(_selected(call, query, asked))
    return chosen.group_by(key).order_by(key) if query.get("by") else chosen


def behind(call: Call, query: Query, asked: Period) -> Select[Any]:
    """The ids of the tickets that are `query["part"]` of `query["rate"]`."""
    parts = _PARTS[query["part"]]
    counts = FIGURES.c[query["rate"]].in_(parts)
    return select(FIGURES.c.ticket).where(_selected(call, query, asked), counts)


def start(day: date) -> datetime:
    """The moment at which a day begins on the local wall clock."""
    return datetime.combine(day, time.min, clock.ZONE)


def after(day: date) -> datetime:
    """The moment at which a day is over."""
    return start(day + timedelta(days=1))


def _selected(call: Call, query: Query, asked: Period) -> ColumnElement[bool]:
    """The figures that a query is about: one of a ticket at most."""
    reached = [_reached(reach) for reach in call.reaches("figures.read")]
    wanted = [
        condition(query[name]) for name, condition in _WANTED.items() if query.get(name) is not None
    ]
    if query.get("direct"):
        wanted.append(FIGURES.c.area == query.get("area"))
    return and_(
        FIGURES.c.filed_at >= start(asked.first),
        FIGURES.c.filed_at < after(asked.last),
        *_known(asked.as_of),
        or_(false(), *reached),
        *wanted,
    )


def _known(as_of: date | None) -> tuple[ColumnElement[bool], ...]:
    if as_of is None:
        return (FIGURES.c.until.is_(None),)
    end = after(as_of)
    return FIGURES.c.since < end, or_(FIGURES.c.until.is_(None), FIGURES.c.until >= end)


def _reached(reach: str) -> ColumnElement[bool]:
    name, _, code = reach.partition(":")
    condition = {"area": _in_area, "department": _of_department}.get(name)
    return false() if condition is None else condition(code)


def _in_area(code: str) -> ColumnElement[bool]:
    community = wall.community(code)
    if community == code:
        return FIGURES.c.community == code
    within = FIGURES.c.area_path.contains([code])
    return within if community is None else and_(FIGURES.c.community == community, within)


def _of_department(code: str) -> ColumnElement[bool]:
    if code == scope.NO_DEPARTMENT:
        return FIGURES.c.department.is_(None)
    return FIGURES.c.department == code


_WANTED: Mapping[str, Callable[[Any], ColumnElement[bool]]] = {
    "area": _in_area,
    "department": _of_department,
    "category": lambda code: FIGURES.c.category.in_(TREE.below(code)),
    "channel": lambda channel: FIGURES.c.channel == channel,
}


def _key(query: Query) -> ColumnElement[Any]:
    match query.get("by"):
        case None:
            return null()
        case "area":
            return _place_below(query.get("area"))
        case "day" | "month" as by:
            day = func.timezone(clock.ZONE.key, FIGURES.c.filed_at)
            return func.to_char(day, literal({"day": "YYYY-MM-DD", "month": "YYYY-MM"}[by]))
        case column:
            return FIGURES.c[column]


def _place_below(area: str | None) -> ColumnElement[Any]:
    """The place right below an area in which a ticket lies, or the area itself; without one, the
    ticket's community.
    """
    if area is None:
        return FIGURES.c.community
    path = FIGURES.c.area_path
    return func.coalesce(path[func.array_position(path, area) + 1], area)


def _numbers(groups: Sequence[Any]) -> dict[str, Any]:
    """The rates of groups together: no ticket is in two of them."""
    told = {rate: _rate(rate, groups) for rate in RATES}
    solved = told["solved_share"]
    return {"collected": solved["denominator"], "solved": solved["numerator"], **told}


def _rate(rate: str, groups: Sequence[Any]) -> dict[str, Any]:
    above, rest, excluded = (
        sum(getattr(group, f"{rate}_{part}") for group in groups) for part in Part
    )
    return {
        "value": round(above / (above + rest), 4) if above + rest else None,
        "numerator": above,
        "denominator": above + rest,
        "excluded": excluded,
    }


def _items(
    session: Session, call: Call, query: Query, filters: Query, groups: Sequence[Any]
) -> list[dict[str, Any]]:
    by, keys = query["by"], {group.key for group in groups if group.key is not None}
    areas, departments = (keys if by == name else set() for name in ("area", "department"))
    names = projections.names_of(session, areas, departments)
    return [
        {
            "key": group.key,
            "name": views.name_in(names, by, group.key, call.locale),
            "filters": {**filters, **_narrowed(by, group.key, filters)},
            **_numbers([group]),
        }
        for group in groups
    ]


def _filters(query: Query, asked: Period) -> dict[str, Any]:
    given = {name: query[name] for name in _WANTED if query.get(name) is not None}
    direct = {"direct": True} if query.get("direct") else {}
    as_of = {"as_of": asked.as_of.isoformat()} if asked.as_of else {}
    days = {"from": asked.first.isoformat(), "to": asked.last.isoformat()}
    return {**days, **as_of, **given, **direct}


def _narrowed(by: str, key: str | None, filters: Query) -> dict[str, Any]:
    """The filters by which one group is found again."""
    match by:
        case "day":
            return {"from": key, "to": key}
        case "month":
            first = date.fromisoformat(f"{key}-01")
            last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
            return {
                "from": max(filters["from"], first.isoformat()),
                "to": min(filters["to"], last.isoformat()),
            }
        case "area":
            # Those that lie right there and in no place below it.
            return {"direct": True} if key == filters.get("area") else {"area": key}
        case "department":
            return {by: scope.NO_DEPARTMENT if key is None else key}
    return {by: key}
