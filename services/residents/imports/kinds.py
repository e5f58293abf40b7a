"""What can be imported."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.residents.imports import (
    area_rows,
    household_cells,
    household_rows,
    resident_cells,
    resident_rows,
)
from services.residents.imports.columns import Column
from services.residents.imports.rows import Rows
from services.residents.vault import Vault


@dataclass(frozen=True)
class Kind:
    """One kind of file: the operation that it needs, its columns, and what takes its rows."""

    operation: str
    columns: tuple[Column, ...]
    rows: Callable[[Vault], Rows]


KINDS: Mapping[str, Kind] = {
    "areas": Kind("areas.write", area_rows.COLUMNS, area_rows.AreaRows),
    "households": Kind("households.write", household_cells.COLUMNS, household_rows.HouseholdRows),
    "residents": Kind("residents.write", resident_cells.COLUMNS, resident_rows.ResidentRows),
}
