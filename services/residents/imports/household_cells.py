"""What a row of households says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.residents import household_schemas, identifiers, sealing
from services.residents.imports.columns import Column, Row
from services.residents.imports.rows import command_id
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
# Building a schema costs more than using it.
_HOUSEHOLD = household_schemas.RegisterHousehold()


@dataclass(frozen=True)
class Told:
    """One row: a household as the command to register it wants it, the id of that command, which is
    the same in every file, the blind index of its door, and its tenure (None: not said).
    """

    row: Row
    household: Mapping[str, Any]
    command_id: str
    door_index: bytes
    tenure: str | None


def read(vault: Vault, row: Row) -> Told:
    """What a row says; raises marshmallow.ValidationError."""
    cells = dict(row.cells)
    if "tenure" in cells:
        cells["tenure"] = TENURES.get(cells["tenure"], cells["tenure"])
    wanted = _HOUSEHOLD.load(cells)
    return Told(
        row,
        wanted,
        command_id(vault, "household", f"{door(row)}\n{row.cells.get('from', '')}"),
        sealing.door_index(vault, wanted["area"], wanted["door"]),
        cells.get("tenure"),
    )


def door(row: Row) -> str:
    """What tells a row's door from others."""
    parts = (row.cells.get(name, "") for name in ("area", "door"))
    return "\n".join(map(identifiers.name, parts))
