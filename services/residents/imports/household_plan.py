"""What of a batch of households can be done together: doors where nobody is known, and rows that
say what is recorded already. The others are left to be taken one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.errors import Invalid
from chassis.gathering import Contended
from services.residents import audit, days, reach
from services.residents.commands import households
from services.residents.imports import resident_cells, resident_plan
from services.residents.imports.household_cells import Told
from services.residents.imports.rows import Plan
from services.residents.models import Household
from services.residents.reach import Subject
from services.residents.vault import Vault

_TO_ADD = "households.write"


class Planner:
    """Plans one batch; `people` are those of the rows, by the number of their row."""

    def __init__(
        self,
        session: Session,
        call: Call,
        vault: Vault,
        told: Sequence[Told],
        people: Mapping[int, Sequence[resident_cells.Told]],
    ) -> None:
        self._session, self._call, self._vault, self._told = session, call, vault, told
        self._made = _by(session, Household.command_id, [each.command_id for each in told])
        doors = [each.door_index for each in told]
        self._there = _by(session, Household.door_index, doors, Household.ends.is_(None))
        self._fit = {area for area in {each.household["area"] for each in told} if self._fits(area)}
        self._new = {each.row.number: each.door_index for each in told if self._is_new(each)}
        self._people = people
        everybody = [each for theirs in people.values() for each in theirs]
        unnamed, coming = replace(call, command_id=None), {*self._new.values()}
        self._planner = resident_plan.Planner(session, unnamed, vault, everybody, coming=coming)

    def plan(self) -> Plan:
        """Which rows can be taken together."""
        plan, people = Plan(), self._planner.plan()
        compared: list[Household] = []
        for told in self._told:
            number, known = told.row.number, self._known(told)
            if known is not None and known.ends is not None:
                plan.unchanged.add(number)  # One that was closed stays so.
                continue
            keys = [each.key for each in self._people[number]]
            adding = [people.additions[key] for key in keys if key in people.additions]
            if len(adding) + sum(key in people.unchanged for key in keys) < len(keys):
                continue
            if number in self._new:
                plan.additions[number] = partial(self._add, told, adding)
            elif known is not None and self._is_recorded(told, known):
                compared.append(known)
                if adding:
                    plan.changes[number] = partial(_do_all, adding)
                else:
                    plan.unchanged.add(number)
        self._note(compared)
        return plan

    def _known(self, told: Told) -> Household | None:
        return self._made.get(told.command_id) or self._there.get(told.door_index)

    def _is_new(self, told: Told) -> bool:
        """Whether nobody is known at the door, and the caller may register a household there."""
        area = told.household["area"]
        if self._known(told) is not None or area not in self._fit or not self._may(area):
            return False
        try:
            days.told(told.household["starts"], self._call, "from")
        except Invalid:
            return False
        return True

    def _is_recorded(self, told: Told, known: Household) -> bool:
        same = told.tenure in (None, known.tenure)
        return same and self._may(told.household["area"])

    def _add(self, told: Told, people: Sequence[Callable[[], None]]) -> None:
        call = replace(self._call, command_id=told.command_id)
        household = households.enter(self._session, call, self._vault, told.household)
        if household is None:
            raise Contended
        self._planner.arrived(household)
        _do_all(people)

    def _fits(self, area: str) -> bool:
        try:
            households.check_place(self._session, area)
        except Invalid:
            return False
        return True

    def _may(self, area: str) -> bool:
        return _TO_ADD in self._call.may(reach.of_household(area))

    def _note(self, compared: Sequence[Household]) -> None:
        """What the rows were compared with was read."""
        if compared:
            about = Subject("household", area=audit.common_area(compared))
            audit.note(
                self._session,
                self._call,
                audit.LIST,
                about,
                fields=["tenure"],
                found_by=["area", "door"],
            )


def _do_all(additions: Sequence[Callable[[], None]]) -> None:
    for add in additions:
        add()


def _by(
    session: Session, column: Any, values: Sequence[Any], *more: Any
) -> Mapping[Any, Household]:
    found = select(Household).where(column.in_(values), *more)
    return {getattr(each, column.key): each for each in session.scalars(found)} if values else {}
