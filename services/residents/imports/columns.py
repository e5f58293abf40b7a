"""The columns of a file, and how its first row names them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

from services.residents.imports import cells

MOST = 50
"""Columns of a file."""


@dataclass(frozen=True)
class Column:
    """A column: its name in the API, what people call it, and whether every row needs it.

    `free` columns hold text of any kind, in which a formula is its text.
    """

    name: str
    headings: Sequence[str]
    required: bool = False
    free: bool = False


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file or a row: `column` is a column's name, the letter of one that has
    none, or empty for the whole row. It never repeats what the cell says.
    """

    row: int
    column: str
    code: str


class Unreadable(Exception):
    """The file as a whole cannot be imported."""

    def __init__(self, code: str, row: int = 0, column: str = "") -> None:
        super().__init__(code)
        self.fault = Fault(row, column, code)


@dataclass(frozen=True)
class Row:
    """One row of data by column; empty cells are left out."""

    number: int
    cells: Mapping[str, str]
    faults: Sequence[Fault] = field(default_factory=tuple)


class Header:
    """Which column stands where, read from the first row; raises Unreadable."""

    def __init__(self, number: int, headings: Sequence[str], columns: Sequence[Column]) -> None:
        if len(headings) > MOST:
            raise Unreadable("too_many_columns", number)
        known = {cells.heading(name): each for each in columns for name in _names(each)}
        self._places: dict[int, Column] = {}
        for place, name in enumerate(headings):
            if name:
                self._take(number, place, known.get(cells.heading(name)))
        there = {column.name for column in self._places.values()}
        for column in columns:
            if column.required and column.name not in there:
                raise Unreadable("missing_column", number, column.name)

    def row(self, number: int, values: Sequence[str]) -> Row:
        """A row under this header; what stands beside the columns is a fault."""
        found, faults = {}, []
        for place, value in enumerate(values):
            column = self._places.get(place)
            fault = _fault(column, value)
            if fault:
                faults.append(Fault(number, column.name if column else letters(place), fault))
            elif column and value:
                found[column.name] = str(value)
        return Row(number, found, faults)

    def _take(self, number: int, place: int, column: Column | None) -> None:
        if column is None:
            raise Unreadable("unknown_column", number, letters(place))
        if column in self._places.values():
            raise Unreadable("duplicate_column", number, column.name)
        self._places[place] = column


def letters(place: int) -> str:
    """The letters above a column of a spreadsheet: A for 0, AA for 26."""
    rest, last = divmod(place, 26)
    return (letters(rest - 1) if rest else "") + ascii_uppercase[last]


def _names(column: Column) -> Sequence[str]:
    return (column.name, *column.headings)


def _fault(column: Column | None, value: str) -> str | None:
    if column is None:
        return "unknown_column" if value else None
    if isinstance(value, cells.Formula) and column.free:
        return None
    return value.fault if isinstance(value, cells.Doubtful) else None
