"""A database of tickets as large as one likes: a copy of the demo's, filled by city.sql."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from chassis import clock
from services.tickets import figure_rows, texts
from services.tickets.categories import TREE
from tests.stack.stack import Stack

_CHUNK = 100_000
_WORDS = ("三楼楼道漏水", "路灯不亮", "井盖缺失", "电梯停运", "楼道堆放杂物", "夜间施工噪音")
_SQL = Path(__file__).with_name("city.sql").read_text()
_PREPARE = """
CREATE FUNCTION pick(n bigint, salt integer, among integer) RETURNS integer LANGUAGE sql IMMUTABLE
  RETURN abs(hashint8extended(n, salt) % among)::integer;
CREATE UNLOGGED TABLE kinds (kind integer, category text, hours integer, department text,
  description text, search text);
"""
_FIGURES = "SELECT md5(string_agg(figures::text, '|' ORDER BY ticket, since)) FROM figures"
# Whatever is no key: built at the end, it costs a fraction.
_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index WHERE NOT indisunique
  AND indrelid IN ('tickets'::regclass, 'history'::regclass, 'figures'::regclass)
"""


def build(stack: Stack, tickets: int) -> str:
    """A new database with so many tickets; its name. The service must be away meanwhile."""
    name = f"linli_tickets_{tickets}"
    with _connected(stack, "postgres") as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE linli_tickets"))
        # Rights in a database are copied with it, those to it are not.
        connection.execute(text(f"GRANT CONNECT ON DATABASE {name} TO linli_tickets"))
    with _connected(stack, name) as connection:
        _fill(connection, tickets)
    return name


def figures_are_true(stack: Stack, name: str) -> bool:
    """Whether figures made anew from history are those that are there."""
    engine = create_engine(stack.postgres.url(name), poolclass=NullPool)
    with engine.connect() as connection:
        before = connection.scalar(text(_FIGURES))
    figure_rows.make_anew(engine)
    with engine.connect() as connection:
        return bool(connection.scalar(text(_FIGURES)) == before)


def size(stack: Stack, name: str) -> float:
    """GiB of a database."""
    with _connected(stack, name) as connection:
        return float(connection.scalar(text("SELECT pg_database_size(current_database())"))) / 2**30


@contextmanager
def _connected(stack: Stack, name: str) -> Iterator[Connection]:
    url = stack.postgres.url(name)
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def _fill(connection: Connection, tickets: int) -> None:
    connection.execute(text(_PREPARE))
    connection.execute(
        text("INSERT INTO kinds VALUES (:kind, :category, :hours, :department, :words, :search)"),
        _kinds(),
    )
    for setting in (
        "session_replication_role = replica",  # References are right by construction.
        "maintenance_work_mem = '512MB'",
        "synchronous_commit = off",
    ):
        connection.execute(text(f"SET {setting}"))
    connection.execute(text("TRUNCATE tickets, history, figures, comments"))
    indexes = connection.execute(text(_INDEXES)).all()
    for index in indexes:
        connection.execute(text(f"DROP INDEX {index.name}"))
    for first in range(0, tickets, _CHUNK):
        last = min(first + _CHUNK, tickets) - 1
        _run(connection, first=first, last=last, tickets=tickets)
    for index in indexes:
        connection.execute(text(index.definition))
    connection.execute(text("DROP TABLE kinds; DROP FUNCTION pick"))
    connection.execute(text("VACUUM ANALYZE"))


def _run(connection: Connection, **values: int) -> None:
    today = clock.local(clock.now()).date()
    for statement in _SQL.split(";\n"):
        if statement.strip():
            connection.execute(text(statement), {"today": today, **values})


def _kinds() -> Sequence[dict[str, Any]]:
    leaves = [each for each in TREE if each.parent and each.response_hours and each.department]
    return [
        {
            "kind": number,
            "category": leaf.code,
            "hours": leaf.response_hours,
            "department": leaf.department,
            "words": (words := _WORDS[number % len(_WORDS)]),
            "search": texts.findable(None, words),
        }
        for number, leaf in enumerate(leaves)
    ]
