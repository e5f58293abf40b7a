"""Rows of households: the one at a door is registered once, its tenure amended, and those whom the
row names move in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy.orm import Session

from chassis import walls
from chassis.call import Call
from chassis.errors import Invalid
from services.residents import audit, queries
from services.residents.commands import households
from services.residents.commands import rows as making
from services.residents.errors import HouseholdExists
from services.residents.imports import household_cells
from services.residents.imports.columns import Fault, Row
from services.residents.imports.household_cells import Told
from services.residents.imports.household_plan import Planner
from services.residents.imports.member_cells import NUMBERS
from services.residents.imports.resident_rows import ResidentRows
from services.residents.imports.rows import ADDED, CHANGED, UNCHANGED, Plan
from services.residents.models import Household
from services.residents.reach import Subject
from services.residents.vault import Vault


class HouseholdRows:
    """Takes one file's rows of households."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._residents = ResidentRows(vault)
        self._met: Subject | None = None

    def keys(self, row: Row) -> Mapping[str, str]:
        """By the door in its area, and by the numbers of its head."""
        numbers = {name: row.cells[name] for name in NUMBERS if name in row.cells}
        return {"door": household_cells.door(row), **numbers}

    def plan(self, session: Session, call: Call, rows: Sequence[Row]) -> Plan:
        """The doors at which nobody is known, and those of which nothing else is said than what is
        recorded.
        """
        told, people = [], {}
        for row in rows:
            try:
                each = household_cells.read(self._vault, row)
                people[row.number] = household_cells.people(self._vault, each)
            except (Invalid, ValidationError):
                continue  # Taken alone, it says what is wrong.
            told.append(each)
        return Planner(session, call, self._vault, told, people).plan()

    def take(self, session: Session, call: Call, row: Row) -> str:
        """Register or amend one household, and let those move in who are named. One that was closed
        meanwhile stays so.
        """
        self._met = None
        told = household_cells.read(self._vault, row)
        named = replace(call, command_id=told.command_id)
        with walls.opened(session):  # It may have moved to another community since.
            known = making.made_by(session, Household, named)
        if known is None:
            try:
                households.register(session, named, self._vault, told.household)
            except HouseholdExists as there:
                known = queries.get(session, Household, UUID(there.params["household"]))
        if known is not None and known.ends is not None:
            return UNCHANGED
        outcome = ADDED if known is None else self._amend(session, named, known, told.tenure)
        moved = self._settle(session, call, told)
        return CHANGED if moved and outcome == UNCHANGED else outcome

    def _settle(self, session: Session, call: Call, told: Told) -> bool:
        """Let people live there, as if each had a row of residents; whether anything changed."""
        outcomes = set()
        people = household_cells.people(self._vault, told)
        for each, person in zip(told.people, people, strict=True):
            with each.told():
                outcomes.add(self._residents.take_told(session, call, person))
        return bool(outcomes - {UNCHANGED})

    def forgive(self, _row: Row, _fault: Fault) -> bool:
        """Nothing: no household depends on the row of another."""
        return False

    def tried(self, session: Session, call: Call, row: Row) -> None:
        """What a dry run compared a row with was read."""
        if self._met is not None:
            audit.note(session, call, audit.READ, self._met, fields=row.cells.keys())

    def _amend(self, session: Session, call: Call, known: Household, tenure: str | None) -> str:
        if tenure is None:
            return UNCHANGED
        self._met = Subject("household", known.id, known.area)
        before = known.sequence
        households.amend(session, call, self._vault, {"id": known.id, "tenure": tenure})
        return UNCHANGED if known.sequence == before else CHANGED
