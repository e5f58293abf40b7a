"""Writes that go to the database together: what is inserted or removed inside `gathered` waits for
the end of the block, and then takes one statement a table, or one alone.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table, bindparam, delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

_WAITING = "gathered"


class Contended(Exception):
    """Something of what was to be written is there already, so that nothing was."""


@dataclass
class _Waiting:
    """Rows by table, in the order in which the tables were first written to; values by column."""

    rows: dict[Table, list[Any]] = field(default_factory=dict)
    removed: dict[InstrumentedAttribute[Any], list[Any]] = field(default_factory=dict)


@contextmanager
def gathered(session: Session, *, as_one: bool = False) -> Iterator[None]:
    """Let writes wait for the end of the block, inside which none of them can be read. Raises
    Contended where a constraint is in the way: whoever calls it rolls back to a savepoint then.

    `as_one`: in one statement, for a row at most in each of several tables, of which none has a
    wall that looks at another's row.
    """
    waiting = session.info[_WAITING] = _Waiting()
    try:
        yield
    finally:
        del session.info[_WAITING]
    try:
        for column, values in waiting.removed.items():
            session.execute(delete(column.class_).where(column.in_(values)))
        if as_one and waiting.rows:
            _insert_as_one(session, {table: row for table, [row] in waiting.rows.items()})
        else:
            for table, rows in waiting.rows.items():
                _insert(session, table, rows)
    except IntegrityError:
        raise Contended from None


def gathers(session: Session) -> bool:
    """Whether writes wait."""
    return _WAITING in session.info


def insert(session: Session, into: Any, *rows: Any) -> None:
    """Insert rows into a table or a mapped class: each a mapping, or an object, which may change as
    long as it waits.
    """
    table = into if isinstance(into, Table) else into.__table__
    if not rows:
        return
    if gathers(session):
        session.info[_WAITING].rows.setdefault(table, []).extend(rows)
    else:
        _insert(session, table, rows)


def remove(session: Session, column: InstrumentedAttribute[Any], value: Any) -> None:
    """Delete the rows that have the value in the column."""
    if gathers(session):
        session.info[_WAITING].removed.setdefault(column, []).append(value)
    else:
        session.execute(delete(column.class_).where(column == value))


def _insert(session: Session, table: Table, rows: Any) -> None:
    session.execute(_insertion(table), [_values(table, row) for row in rows])


def _insert_as_one(session: Session, rows: Mapping[Table, Any]) -> None:
    filled = {table: _values(table, row) for table, row in rows.items()}
    statement = _insertions(*((table, tuple(values)) for table, values in filled.items()))
    parameters = {
        _parameter(table, name): value
        for table, values in filled.items()
        for name, value in values.items()
    }
    session.execute(statement, parameters)


# Built once for each table, and for those that are written together: then SQLAlchemy has only the
# values to look at.
@cache
def _insertion(table: Table) -> Insert:
    return table.insert()


@cache
def _insertions(*filled: tuple[Table, tuple[str, ...]]) -> Insert:
    """One statement for a row in each of these tables, with values for these columns."""
    *others, last = (
        table.insert().values(
            {name: bindparam(_parameter(table, name), type_=table.c[name].type) for name in names}
        )
        for table, names in filled
    )
    return last.inline().add_cte(*(one.cte(one.table.name) for one in others))


def _parameter(table: Table, column: str) -> str:
    return f"{table.name}_{column}"


def _values(table: Table, row: Any) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    return {column.name: getattr(row, column.name) for column in table.columns}
