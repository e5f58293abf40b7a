"""One row of a file as a command: what became of it, and what was wrong with it in the file's own
terms.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.errors import ServiceError, from_validation
from services.residents import audit
from services.residents.imports.columns import Column, Fault, Row
from services.residents.reach import Denied, Hidden
from services.residents.vault import Vault

ADDED, CHANGED, UNCHANGED = "added", "changed", "unchanged"


class Rows(Protocol):
    """What a kind of import does with its rows. It lives as long as the work on one file."""

    def keys(self, row: Row) -> Mapping[str, str]:
        """What tells this row's thing from others, by column; no two rows may share one."""

    def take(self, session: Session, call: Call, row: Row) -> str:
        """Do what the row says: ADDED, CHANGED or UNCHANGED. Raises what commands raise."""

    def forgive(self, row: Row, fault: Fault) -> bool:
        """Whether a fault is only there because this is a dry run."""

    def tried(self, session: Session, call: Call, row: Row) -> None:
        """Leave in the audit what a dry run has read, for what it did is undone."""


class Taker:
    """Takes the rows of one file, one after another, each in a savepoint of its own."""

    def __init__(self, rows: Rows, columns: tuple[Column, ...], dry_run: bool) -> None:
        self._rows = rows
        self._columns = columns
        self._dry_run = dry_run
        self._seen: set[tuple[str, str]] = set()

    def pass_over(self, row: Row) -> None:
        """Remember a row that was taken before the work was interrupted."""
        self._repeated(row)

    def take(self, session: Session, call: Call, row: Row) -> str | list[Fault]:
        """What became of a row, or what is wrong with it; then it has no effect."""
        faults = [*row.faults, *self._missing(row), *self._repeated(row)]
        if faults:
            return faults
        savepoint = session.begin_nested()
        try:
            outcome = self._rows.take(session, call, row)
        except (ServiceError, ValidationError) as error:
            savepoint.rollback()
            if isinstance(error, Hidden | Denied):
                audit.refused(session, call, error)
            faults = list(_faults(row, error, self._columns))
            if self._dry_run and all(self._rows.forgive(row, fault) for fault in faults):
                return ADDED
            return faults
        except BaseException:
            savepoint.rollback()
            raise
        if self._dry_run:
            savepoint.rollback()
            self._rows.tried(session, call, row)
        else:
            savepoint.commit()
        return outcome

    def _missing(self, row: Row) -> Iterator[Fault]:
        faulty = {fault.column for fault in row.faults}
        for column in self._columns:
            if column.required and column.name not in {*row.cells, *faulty}:
                yield Fault(row.number, column.name, "required")

    def _repeated(self, row: Row) -> list[Fault]:
        keys = set(self._rows.keys(row).items())
        again = [Fault(row.number, column, "repeated_row") for column, _ in keys & self._seen]
        self._seen |= keys
        return again


def command_id(vault: Vault, kind: str, key: str) -> str:
    """The id of the command that makes what `key` names, the same in every file: keyed, for the key
    may be an ID number. An RFC 9562 version 8.
    """
    octets = bytearray(vault.blind_index(f"import {kind}", key)[:16])
    octets[6] = octets[6] & 0x0F | 0x80
    octets[8] = octets[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(octets)))


def _faults(
    row: Row, error: ServiceError | ValidationError, columns: tuple[Column, ...]
) -> Iterator[Fault]:
    told = error if isinstance(error, ServiceError) else from_validation(error)
    if not told.errors:
        yield Fault(row.number, "", told.code)
    column_of = _columns_of(columns)
    # One fault a column will do: the first.
    for column, code in {
        column_of(fault["pointer"]): fault["code"] for fault in reversed(told.errors)
    }.items():
        yield Fault(row.number, column, code)


def _columns_of(columns: tuple[Column, ...]) -> Callable[[str], str]:
    """`/names/en` is the column `names_en`; what is in no column is about the whole row."""
    known = {column.name for column in columns}

    def column_of(pointer: str) -> str:
        name = pointer.strip("/").replace("/", "_")
        return name if name in known else ""

    return column_of
