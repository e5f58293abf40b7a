"""Rows of areas: a place that is not there is added, one of another name renamed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.schemas import load
from services.residents import area_codes, schemas
from services.residents.commands import areas
from services.residents.imports.columns import Column, Fault, Row
from services.residents.imports.rows import ADDED, CHANGED, UNCHANGED, Plan, command_id
from services.residents.models import Area
from services.residents.vault import Vault

COLUMNS = (
    Column("code", ("区域代码", "代码", "编码"), required=True),
    Column("name", ("名称", "区域名称"), required=True, free=True),
    Column("names_en", ("英文名称", "英文名"), free=True),
)


class AreaRows:
    """Takes one file's rows of areas. A place must stand below the row of what holds it."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._codes: set[str] = set()

    def keys(self, row: Row) -> Mapping[str, str]:
        """By its code."""
        return {"code": row.cells["code"]} if "code" in row.cells else {}

    def plan(self, _session: Session, _call: Call, _rows: Sequence[Row]) -> Plan:
        """Nothing together: what holds a place may be one of the rows above."""
        return Plan()

    def take(self, session: Session, call: Call, row: Row) -> str:
        """Add or rename one place."""
        known = session.get(Area, row.cells["code"])
        command = _command(row, known)
        wanted = load(schemas.AddArea, command)
        call = replace(call, command_id=command_id(self._vault, "area", wanted["code"]))
        if known is None:
            areas.add(session, call, wanted)
            self._codes.add(wanted["code"])
            return ADDED
        before = known.sequence
        areas.rename(session, call, load(schemas.RenameArea, command))
        return UNCHANGED if known.sequence == before else CHANGED

    def forgive(self, row: Row, fault: Fault) -> bool:
        """In a dry run what holds a place may be one of the rows above."""
        code = row.cells["code"]
        if fault.code != "unknown_parent" or area_codes.parent(code) not in self._codes:
            return False
        self._codes.add(code)
        return True

    def tried(self, _session: Session, _call: Call, _row: Row) -> None:
        """Places are no secret."""


def _command(row: Row, known: Area | None) -> dict[str, object]:
    """What is left empty stays as it is."""
    names = {"en": known.names["en"]} if known and "en" in known.names else {}
    if "names_en" in row.cells:
        names = {"en": row.cells["names_en"]}
    return {"code": row.cells["code"], "name": row.cells["name"], "names": names}
