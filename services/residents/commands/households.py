"""Households are registered, amended and closed; a door is sealed before it is stored."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.ids import new_id
from services.residents import answers, area_codes, audit, days, placement, queries, reach, sealing
from services.residents import household_queries as reading
from services.residents.commands import household_rows, members, rows
from services.residents.commands.members import Stay
from services.residents.errors import (
    HouseholdExists,
    HouseholdInhabited,
    HouseholdIsClosed,
    invalid,
)
from services.residents.events import HouseholdClosed, HouseholdRegistered
from services.residents.models import HEAD, Area, Household
from services.residents.reach import Subject
from services.residents.vault import DataKey, Vault

_AMENDABLE = ("area", "door", "tenure")


def register(
    session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    """Register the household at a door. Raises Forbidden, Invalid for an area or a day that does
    not fit, HouseholdExists; for its head, what members.move_in raises.
    """
    _demand_there(call, wanted["area"])
    check_place(session, wanted["area"])
    household, key = _store(session, call, vault, wanted)
    if key is None:
        return _registered_before(session, call, vault, household)
    head = wanted["head"]
    if head is None:
        return answers.household(household, key)
    household = queries.get(session, Household, household.id, lock=True)
    stay = Stay(head, relation=HEAD, starts=household.starts)
    members.settle(session, call, household, stay, field="head")
    return reading.shown(session, household, key)


def enter(
    session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]
) -> Household | None:
    """Register the household at a door whose area has been checked, but for its head; None where
    one is there already. Raises Forbidden, Invalid for its first day.
    """
    _demand_there(call, wanted["area"])
    household, key = _store(session, call, vault, wanted)
    return None if key is None else household


def amend(session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Change what is recorded of a household. Raises NotFound, Forbidden, Invalid, Stale,
    HouseholdExists, HouseholdIsClosed.
    """
    household = household_rows.open_one(session, call, wanted["id"], wanted.get("version"))
    told = wanted.keys() & {*_AMENDABLE, "head"}
    key = audit.household_key(session, call, vault, household, action=audit.CHANGE, fields=told)
    changed = {
        field: wanted[field]
        for field in _AMENDABLE
        if field in told and wanted[field] != _current(household, key, field)
    }
    headed = "head" in told and members.make_head(session, household, wanted["head"])
    if changed:
        _check_move(session, call, changed)
        _apply(session, vault, household, key, changed)
    if "area" in changed:
        members.follow(session, call, household)
    if changed or headed:
        household_rows.amended(session, call, household)
    return reading.shown(session, household, key)


def close(session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Set the last day of a household, for good. Raises NotFound, Forbidden, Invalid,
    HouseholdInhabited, HouseholdIsClosed (unless by this last day).
    """
    household = household_rows.found(session, call, wanted["id"])
    ends = days.told(wanted["ends"], call, "to")
    if household.ends is not None and household.ends != ends:
        raise HouseholdIsClosed
    if household.ends is None:
        days.check_order(household.starts, ends)
        if reading.people_in(session, household.id):
            raise HouseholdInhabited
        household.ends = ends
        household.sequence += 1
        household_rows.tell(session, call, HouseholdClosed, household)
    key = audit.household_key(session, call, vault, household, action=audit.CHANGE, fields=["to"])
    return answers.household(household, key)


def _store(
    session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]
) -> tuple[Household, DataKey | None]:
    """Insert a household; without its key if the door or the command is there already."""
    household_id = new_id()
    wrapped, key = vault.new_key(household_id, Household.__tablename__)
    household = Household(
        id=household_id,
        key_id=wrapped.key_id,
        wrapped=wrapped.wrapped,
        **_placed(wanted["area"]),
        **sealing.door(vault, key, wanted["area"], wanted["door"]),
        tenure=wanted["tenure"],
        starts=days.told(wanted["starts"], call, "from"),
        registered_at=call.occurred_at,
        sequence=1,
        command_id=call.command_id,
    )
    if not rows.store(session, household):
        return household, None
    about = Subject("household", household_id, household.area)
    audit.note(session, call, audit.REGISTER, about, fields=answers.OF_HOUSEHOLD)
    household_rows.tell(session, call, HouseholdRegistered, household)
    return household, key


def _placed(area: str) -> dict[str, Any]:
    """The columns that say where it is."""
    return {
        "area": area,
        "tree_key": area_codes.tree_key(area),
        "grid": placement.place(area, "grid"),
        "building": placement.place(area, "building"),
    }


def _registered_before(
    session: Session, call: Call, vault: Vault, household: Household
) -> dict[str, Any]:
    made = rows.made_by(session, Household, call)
    if made is None:
        same = select(Household.id).where(
            Household.door_index == household.door_index, Household.ends.is_(None)
        )
        raise HouseholdExists(household=str(session.scalar(same)))
    return reading.answered(session, call, vault, made)


def check_place(session: Session, area: str) -> None:
    """Raise Invalid unless the area is there, and every tier that it lacks is lacking around it."""
    if session.get(Area, area) is None:
        raise invalid("area", "unknown_area", "There is no such area.")
    if placement.is_wide(area):
        raise invalid("area", "area_too_wide", "A household lies in a community, or below.")
    for level, place in placement.lacking(area):
        one = select(Area.code).where(Area.level == level, queries.subtree(Area.tree_key, place))
        if session.scalar(one.limit(1)) is not None:
            raise invalid("area", f"no_{level}", f"Say in which {level} it lies: there are some.")


def _check_move(session: Session, call: Call, changed: Mapping[str, Any]) -> None:
    if "area" in changed:
        _demand_there(call, changed["area"])
        check_place(session, changed["area"])


def _demand_there(call: Call, area: str) -> None:
    about = Subject("household", area=area)
    reach.demand_to_add(call, reach.of_household(area), "households.write", about)


def _apply(
    session: Session,
    vault: Vault,
    household: Household,
    key: DataKey,
    changed: Mapping[str, Any],
) -> None:
    columns: dict[str, Any] = {"tenure": changed.get("tenure", household.tenure)}
    if "area" in changed:
        columns |= _placed(changed["area"])
    if "area" in changed or "door" in changed:
        # A door is found by its area too.
        door = changed.get("door") or key.open("door", household.door)
        columns |= sealing.door(vault, key, columns.get("area", household.area), door)
    for column, value in columns.items():
        setattr(household, column, value)
    try:
        session.flush()
    except IntegrityError:
        # Only the door's index is unique among what can be amended.
        raise HouseholdExists from None


def _current(household: Household, key: DataKey, field: str) -> Any:
    return key.open(field, household.door) if field == "door" else getattr(household, field)
