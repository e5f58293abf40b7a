"""The area tree grows and its places are renamed; a code stays for ever, so nothing moves."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.events import EventSchema, Route, emit
from services.residents import (
    answers,
    area_codes,
    official_areas,
    official_names,
    queries,
    reach,
)
from services.residents.commands import rows
from services.residents.errors import AreaExists, invalid
from services.residents.events import AreaAdded, AreaRenamed
from services.residents.models import Area


def add(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Add a place below another one. What is an official area may go without a name, and brings
    what holds it along. Raises Forbidden, Invalid (unknown_parent, required), AreaExists.
    """
    reach.demand_to_add(call, reach.of_area(wanted["code"]), "areas.write")
    area = _new(call, {**wanted, "name": wanted.get("name") or _official_name(session, wanted)})
    if area.parent is not None and session.get(Area, area.parent) is None:
        _add_above(session, call, area.parent)
    if not rows.store(session, area):
        return answers.area(_made_before(session, call, area.code))
    _emit(session, call, AreaAdded, area)
    return answers.area(area)


def rename(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Give a place another name. Raises NotFound, Forbidden."""
    area = queries.get(session, Area, wanted["code"], lock=True)
    reach.demand(call, reach.of_area(area.code), "areas.write")
    name, names = wanted["name"], rows.names(wanted["name"], wanted.get("names"))
    if (name, names) != (area.name, area.names):
        area.name, area.names = name, names
        area.sequence += 1
        _emit(session, call, AreaRenamed, area)
    return answers.area(area)


def _official_name(session: Session, wanted: Mapping[str, Any]) -> str:
    official = official_areas.get(session, wanted["code"])
    if official is None:
        raise invalid("name", "required", "Missing data for required field.")
    return official_names.short(official.name)


def _add_above(session: Session, call: Call, code: str) -> None:
    """Add a place that is missing above another one, if it is official."""
    official = official_areas.get(session, code)
    if official is None:
        raise invalid("code", "unknown_parent", "The area right above is not in the tree.")
    # A command of its own: the one at hand makes the place below.
    add(session, replace(call, command_id=None), {"code": code})


def _new(call: Call, wanted: Mapping[str, Any]) -> Area:
    code = wanted["code"]
    return Area(
        code=code,
        tree_key=area_codes.tree_key(code),
        level=area_codes.level(code),
        parent=area_codes.parent(code),
        name=wanted["name"],
        names=rows.names(wanted["name"], wanted.get("names")),
        sequence=1,
        command_id=call.command_id,
        created_at=call.occurred_at,
    )


def _made_before(session: Session, call: Call, code: str) -> Area:
    made = rows.made_by(session, Area, call)
    if made is None:
        raise AreaExists(area=code)
    return made


def _emit(session: Session, call: Call, schema: type[EventSchema], area: Area) -> None:
    routing = area_codes.routing(area.code)
    emit(
        session,
        call,
        schema,
        subject=area.code,
        sequence=area.sequence,
        route=Route(place=routing),
        data={
            "code": area.code,
            "name": area.name,
            "names": area.names,
            "level": area.level,
            "parent": area.parent,
            "path": area_codes.path(area.code),
            "routing": routing,
        },
    )
