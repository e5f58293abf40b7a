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
from services.residents.imports.household_cells import Told
from services.residents.imports.rows import Plan
from services.residents.models import Household
from services.residents.reach import Subject
from services.residents.vault import Vault

_TO_ADD = "households.write"


class Planner:
    """Plans one batch."""

    def __init__(self, session: Session, call: Call, vault: Vault, told: Sequence[Told]) -> None:
        self._session, self._call, self._vault, self._told = session, call, vault, told
        self._made = _by(session, Household.command_id, [each.command_id for each in told])
        doors = [each.door_index for each in told]
        self._there = _by(session, Household.door_index, doors, Household.ends.is_(None))
        self._fit = {area for area in {each.household["area"] for each in told} if self._fits(area)}

    def plan(self) -> Plan:
        """Which rows can be taken together."""
        plan, met, compared = Plan(), set(), []
        for told in self._told:
            known = self._made.get(told.command_id) or self._there.get(told.door_index)
            if told.door_index in met or not self._may(told.household["area"]):
                continue
            if known is None and (addition := self._addition(told)):
                plan.additions[told.row.number] = addition
            elif known is not None and _is_recorded(told, known):
                plan.unchanged.add(told.row.number)
                compared.append(known)
            met.add(told.door_index)
        self._note(compared)
        return plan

    def _addition(self, told: Told) -> Callable[[], None] | None:
        if told.household["area"] not in self._fit:
            return None
        try:
            days.told(told.household["starts"], self._call, "from")
        except Invalid:
            return None
        return partial(self._add, replace(self._call, command_id=told.command_id), told)

    def _add(self, call: Call, told: Told) -> None:
        if not households.enter(self._session, call, self._vault, told.household):
            raise Contended

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


def _is_recorded(told: Told, known: Household) -> bool:
    """One that was closed stays so."""
    return known.ends is not None or told.tenure in (None, known.tenure)


def _by(
    session: Session, column: Any, values: Sequence[Any], *more: Any
) -> Mapping[Any, Household]:
    found = select(Household).where(column.in_(values), *more)
    return {getattr(each, column.key): each for each in session.scalars(found)} if values else {}
