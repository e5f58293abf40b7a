"""What a row of households says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.residents import household_schemas, identifiers, sealing
from services.residents.imports import member_cells, resident_cells
from services.residents.imports.columns import Column, Row
from services.residents.imports.member_cells import Named
from services.residents.imports.rows import command_id
from services.residents.vault import Vault

COLUMNS = (
    Column("area", ("区域代码", "楼栋代码", "单元代码"), required=True),
    Column("door", ("门牌号", "房号", "户址"), required=True),
    Column("tenure", ("产权", "房屋性质")),
    Column("from", ("起始日期", "入住日期")),
    *member_cells.COLUMNS,
)
TENURES: Mapping[str, str] = {
    "自有": "owned",
    "租住": "rented",
    "公房": "public",
    "集体": "collective",
    "其他": "other",
}
_OF_HOUSEHOLD = ("area", "door", "tenure", "from")
# Building a schema costs more than using it.
_HOUSEHOLD = household_schemas.RegisterHousehold()


@dataclass(frozen=True)
class Told:
    """One row: a household as the command to register it wants it, the id of that command, which is
    the same in every file, the blind index of its door, its tenure (None: not said), and the people
    who are named as living there.
    """

    row: Row
    household: Mapping[str, Any]
    command_id: str
    door_index: bytes
    tenure: str | None
    people: Sequence[Named]


def read(vault: Vault, row: Row) -> Told:
    """What a row says; raises Invalid and marshmallow.ValidationError."""
    cells = {name: row.cells[name] for name in _OF_HOUSEHOLD if name in row.cells}
    if "tenure" in cells:
        cells["tenure"] = TENURES.get(cells["tenure"], cells["tenure"])
    wanted = _HOUSEHOLD.load(cells)
    return Told(
        row,
        wanted,
        command_id(vault, "household", f"{door(row)}\n{row.cells.get('from', '')}"),
        sealing.door_index(vault, wanted["area"], wanted["door"]),
        cells.get("tenure"),
        member_cells.named(row),
    )


def people(vault: Vault, told: Told) -> list[resident_cells.Told]:
    """The people of a row, each by its number and their own; raises Invalid."""
    found = []
    for number, each in enumerate(told.people):
        with each.told():
            key = (told.row.number, number)
            found.append(resident_cells.read(vault, each.row, key, at_door=True))
    return found


def door(row: Row) -> str:
    """What tells a row's door from others."""
    parts = (row.cells.get(name, "") for name in ("area", "door"))
    return "\n".join(map(identifiers.name, parts))
