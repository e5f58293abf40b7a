"""Looking at walls from in front of them: raw statements of the application's own user."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from chassis.walls import EVERYTHING, Settings, WalledSession

NOTHING: Settings = {}


@contextmanager
def seeing(engine: Engine, settings: Settings) -> Iterator[Connection]:
    """A connection of a transaction that was told what it may see, as a service's are."""
    with WalledSession(engine, info={"wall": settings}) as session:
        yield session.connection()


def counts(engine: Engine, settings: Settings, tables: Mapping[str, object]) -> dict[str, int]:
    """How many rows of each table a statement without any condition finds."""
    with seeing(engine, settings) as connection:
        return {
            table: connection.scalar(text(f'SELECT count(*) FROM "{table}"')) for table in tables
        }


def tables(engine: Engine) -> dict[str, bool]:
    """Every table of the application, from the catalogue, and whether it has a wall."""
    query = (
        "SELECT relname, relrowsecurity FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = 'public' AND relkind IN ('r', 'p')"
    )
    with engine.connect() as connection:
        return {row.relname: row.relrowsecurity for row in connection.execute(text(query))}


def check_every_table(engine: Engine, without: Mapping[str, str]) -> None:
    """Every table has a wall, or stands among those that need none, with the reason."""
    found = tables(engine)
    bare = {name for name, walled in found.items() if not walled}
    assert bare == set(without), (
        "a table with what concerns a community or a person needs a wall (chassis.walls.put_up in"
        " its migration), any other one a reason here"
    )


def check_the_user(engine: Engine) -> None:
    """The application is neither superuser nor owner, and no policy passes it by."""
    role = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    owned = "SELECT count(*) FROM pg_tables WHERE tableowner = current_user"
    with engine.connect() as connection:
        assert connection.scalar(text(role)) is False
        assert connection.scalar(text(owned)) == 0


def check_no_plan_is_kept(engine: Engine, table: str) -> None:
    """One connection, one statement, again and again: each transaction has its own view. Were
    statements prepared, the first caller's would stay.
    """
    for _ in range(12):
        assert counts(engine, NOTHING, {table: None}) == {table: 0}
        assert counts(engine, EVERYTHING, {table: None})[table] > 0
