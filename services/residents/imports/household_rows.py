"""Rows of households: the one at a door is registered once, and its tenure amended."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy.orm import Session

from chassis import walls
from chassis.call import Call
from services.residents import audit
from services.residents.commands import households
from services.residents.commands import rows as making
from services.residents.errors import HouseholdExists
from services.residents.imports import household_cells
from services.residents.imports.columns import Fault, Row
from services.residents.imports.household_plan import Planner
from services.residents.imports.rows import ADDED, CHANGED, UNCHANGED, Plan
from services.residents.models import Household
from services.residents.reach import Subject
from services.residents.vault import Vault


class HouseholdRows:
    """Takes one file's rows of households."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._met: Subject | None = None

    def keys(self, row: Row) -> Mapping[str, str]:
        """By the door in its area."""
        return {"door": household_cells.door(row)}

    def plan(self, session: Session, call: Call, rows: Sequence[Row]) -> Plan:
        """The doors at which nobody is known, and those of which nothing else is said than what is
        recorded.
        """
        told = []
        for row in rows:
            try:
                told.append(household_cells.read(self._vault, row))
            except ValidationError:
                continue  # Taken alone, it says what is wrong.
        return Planner(session, call, self._vault, told).plan()

    def take(self, session: Session, call: Call, row: Row) -> str:
        """Register or amend one household. One that was closed meanwhile stays so."""
        self._met = None
        told = household_cells.read(self._vault, row)
        call = replace(call, command_id=told.command_id)
        with walls.opened(session):  # It may have moved to another community since.
            known = making.made_by(session, Household, call)
        if known is None:
            try:
                households.register(session, call, self._vault, told.household)
            except HouseholdExists as there:
                known = session.get(Household, UUID(there.params["household"]))
            else:
                return ADDED
        return self._amend(session, call, known, told.tenure)

    def forgive(self, _row: Row, _fault: Fault) -> bool:
        """Nothing: no household depends on the row of another."""
        return False

    def tried(self, session: Session, call: Call, row: Row) -> None:
        """What a dry run compared a row with was read."""
        if self._met is not None:
            audit.note(session, call, audit.READ, self._met, fields=row.cells.keys())

    def _amend(
        self, session: Session, call: Call, known: Household | None, tenure: str | None
    ) -> str:
        if known is None or known.ends is not None or tenure is None:
            return UNCHANGED
        self._met = Subject("household", known.id, known.area)
        before = known.sequence
        households.amend(session, call, self._vault, {"id": known.id, "tenure": tenure})
        return UNCHANGED if known.sequence == before else CHANGED
