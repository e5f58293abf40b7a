"""Rows of households: the one at a door is registered once, and its tenure amended."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from chassis.call import Call
from services.residents import audit, household_schemas, identifiers
from services.residents.commands import households
from services.residents.commands import rows as making
from services.residents.errors import HouseholdExists
from services.residents.imports.columns import Column, Fault, Row
from services.residents.imports.rows import ADDED, CHANGED, UNCHANGED, command_id
from services.residents.models import Household
from services.residents.reach import Subject
from services.residents.vault import Vault

COLUMNS = (
    Column("area", ("区域代码", "楼栋代码", "单元代码"), required=True),
    Column("door", ("门牌号", "房号", "户址"), required=True),
    Column("tenure", ("产权", "房屋性质")),
    Column("from", ("起始日期", "入住日期")),
)
TENURES: Mapping[str, str] = {
    "自有": "owned",
    "租住": "rented",
    "公房": "public",
    "集体": "collective",
    "其他": "other",
}


class HouseholdRows:
    """Takes one file's rows of households."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._met: Subject | None = None

    def keys(self, row: Row) -> Mapping[str, str]:
        """By the door in its area."""
        return {"door": _door(row)}

    def take(self, session: Session, call: Call, row: Row) -> str:
        """Register or amend one household. One that was closed meanwhile stays so."""
        self._met = None
        told = dict(row.cells)
        if "tenure" in told:
            told["tenure"] = TENURES.get(told["tenure"], told["tenure"])
        wanted = household_schemas.RegisterHousehold().load(told)
        key = f"{_door(row)}\n{row.cells.get('from', '')}"
        call = replace(call, command_id=command_id(self._vault, "household", key))
        known = making.made_by(session, Household, call)
        if known is None:
            try:
                households.register(session, call, self._vault, wanted)
            except HouseholdExists as there:
                known = session.get(Household, UUID(there.params["household"]))
            else:
                return ADDED
        return self._amend(session, call, known, told)

    def forgive(self, _row: Row, _fault: Fault) -> bool:
        """Nothing: no household depends on the row of another."""
        return False

    def tried(self, session: Session, call: Call, row: Row) -> None:
        """What a dry run compared a row with was read."""
        if self._met is not None:
            audit.note(session, call, audit.READ, self._met, fields=row.cells.keys())

    def _amend(
        self, session: Session, call: Call, known: Household | None, told: Mapping[str, str]
    ) -> str:
        if known is None or known.ends is not None or "tenure" not in told:
            return UNCHANGED
        self._met = Subject("household", known.id, known.area)
        before, change = known.sequence, {"id": known.id, "tenure": told["tenure"]}
        households.amend(session, call, self._vault, change)
        return UNCHANGED if known.sequence == before else CHANGED


def _door(row: Row) -> str:
    parts = (row.cells.get(name, "") for name in ("area", "door"))
    return "\n".join(map(identifiers.name, parts))
