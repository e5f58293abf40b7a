"""One row of a file as a command: what became of it, and what was wrong with it in the file's own
terms.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy.orm import Session

from chassis import walls
from chassis.call import Call
from chassis.errors import ServiceError, from_validation
from chassis.gathering import Contended, gathered
from services.residents import audit
from services.residents.imports.columns import Column, Fault, Row
from services.residents.reach import Denied, Hidden
from services.residents.vault import Vault

ADDED, CHANGED, UNCHANGED = "added", "changed", "unchanged"


@dataclass(frozen=True)
class Plan:
    """What of a batch can be done together, by row number: rows that change nothing, and what does
    those that add things, or change them by adding others. Rows in none are taken one by one.
    """

    unchanged: set[Any] = field(default_factory=set)
    additions: dict[Any, Callable[[], None]] = field(default_factory=dict)
    changes: dict[Any, Callable[[], None]] = field(default_factory=dict)


class Rows(Protocol):
    """What a kind of import does with its rows. It lives as long as the work on one file."""

    def keys(self, row: Row) -> Mapping[str, str]:
        """What tells this row's thing from others, by column; no two rows may share one."""

    def plan(self, session: Session, call: Call, rows: Sequence[Row]) -> Plan:
        """What can be done together of rows that stand one below another. It changes nothing, and
        leaves in the audit what it has read.
        """

    def take(self, session: Session, call: Call, row: Row) -> str:
        """Do what the row says: ADDED, CHANGED or UNCHANGED. Raises what commands raise."""

    def forgive(self, row: Row, fault: Fault) -> bool:
        """Whether a fault is only there because this is a dry run."""

    def tried(self, session: Session, call: Call, row: Row) -> None:
        """Leave in the audit what a dry run has read, for what it did is undone."""


class Taker:
    """Takes the rows of one file, batch by batch: together what can be, in one savepoint, and the
    others after them, each in a savepoint of its own.
    """

    def __init__(self, rows: Rows, columns: tuple[Column, ...], dry_run: bool) -> None:
        self._rows = rows
        self._columns = columns
        self._dry_run = dry_run
        self._seen: set[tuple[str, str]] = set()

    def pass_over(self, row: Row) -> None:
        """Remember a row that was taken before the work was interrupted."""
        self._repeated(row)

    def take(self, session: Session, call: Call, batch: Sequence[Row]) -> list[str | list[Fault]]:
        """What became of each row, or what is wrong with it; then it has no effect."""
        outcomes: dict[int, str | list[Fault]] = {}
        for row in batch:
            if faults := [*row.faults, *self._missing(row), *self._repeated(row)]:
                outcomes[row.number] = faults
        sound = [row for row in batch if row.number not in outcomes]
        outcomes |= self._together(session, call, sound)
        for row in sound:
            if row.number not in outcomes:
                outcomes[row.number] = self._alone(session, call, row)
        return [outcomes[row.number] for row in batch]

    def _together(self, session: Session, call: Call, rows: Sequence[Row]) -> dict[int, str]:
        with walls.opened(session):  # It compares with whoever is known, and changes nothing.
            plan = self._rows.plan(session, call, rows)
        outcomes = dict.fromkeys(plan.unchanged, UNCHANGED)
        if self._dry_run or _done(session, [*plan.additions.values(), *plan.changes.values()]):
            outcomes |= dict.fromkeys(plan.additions, ADDED) | dict.fromkeys(plan.changes, CHANGED)
        return outcomes

    def _alone(self, session: Session, call: Call, row: Row) -> str | list[Fault]:
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


def _done(session: Session, additions: Iterable[Callable[[], None]]) -> bool:
    """Add what is new, all of it or nothing; whether nobody was in the way."""
    try:
        with session.begin_nested(), gathered(session):
            for add in additions:
                add()
    except Contended:
        return False
    return True


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
