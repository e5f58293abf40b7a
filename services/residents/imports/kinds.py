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
from services.residents.reach import Denied, Subject
from services.residents.vault import Vault


@dataclass(frozen=True)
class Kind:
    """One kind of file: the operation that it needs, its columns, what takes its rows, and what of
    personal data it is about: then its refusals go into the audit.
    """

    operation: str
    columns: tuple[Column, ...]
    rows: Callable[[Vault], Rows]
    about: str | None = None

    def denied(self) -> Denied:
        """That the caller may not import such a file."""
        return Denied(self.operation, Subject(self.about) if self.about else None)


KINDS: Mapping[str, Kind] = {
    "areas": Kind("areas.write", area_rows.COLUMNS, area_rows.AreaRows),
    "households": Kind(
        "households.write", household_cells.COLUMNS, household_rows.HouseholdRows, "household"
    ),
    "residents": Kind(
        "residents.write", resident_cells.COLUMNS, resident_rows.ResidentRows, "resident"
    ),
}
