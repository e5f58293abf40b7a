"""One service's database, to a file and back."""

from pathlib import Path

from sqlalchemy import Connection, text

from deploy.backup.manifest import Damaged, Database, File
from deploy.backup.programs import Programs

LEFT_OUT = {
    # The feed is made anew from the log. Who was signed in signs in again: a session that was ended
    # after the backup must not come back with it.
    "gateway": ("feed", "feed_[0-9]*", "sessions", "sign_in_codes"),
}
"""Tables whose rows are not kept, as patterns of pg_dump, by service."""

_TABLES = text(
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"
    " ORDER BY relname"
)
_MAY_READ_ALL = text(
    "SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


def dump(
    programs: Programs, folder: Path, service: str, url: str, seen: tuple[Connection, str]
) -> Database:
    """Write `<service>.dump`, of what the connection's transaction sees and the snapshot names."""
    connection, snapshot = seen
    path = folder / f"{service}.dump"
    left_out = [f"--exclude-table-data=public.{name}" for name in LEFT_OUT.get(service, ())]
    # Owners and grants are those of the system that it is restored into.
    options = ["--format=custom", "--no-owner", "--no-privileges", "--lock-wait-timeout=10000"]
    programs.run("pg_dump", [*options, *left_out, f"--snapshot={snapshot}", f"--file={path}"], url)
    return Database(
        File.of(path), server_version(connection), heads(connection), rows(connection, service)
    )


def load(programs: Programs, folder: Path, database: Database, url: str) -> None:
    """Bring a dump back into an empty database, all of it or nothing; raises ProgramFailed."""
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    programs.run("pg_restore", [*options, str(folder / database.file.name)], url)


def check_readable(programs: Programs, folder: Path, database: Database) -> None:
    """Raises ProgramFailed where pg_restore cannot make sense of a dump."""
    programs.run("pg_restore", ["--list", str(folder / database.file.name)])


def check_rows(connection: Connection, service: str, database: Database) -> None:
    """Raises Damaged where a table has not the rows that it had."""
    found = rows(connection, service)
    if differing := sorted({name for name, _ in found.items() ^ database.rows.items()}):
        raise Damaged(f"{service}: not the rows that there were: {', '.join(differing)}")


def tables(connection: Connection) -> list[str]:
    """The tables of the database, partitions included, without those of extensions."""
    return list(connection.scalars(_TABLES))


def rows(connection: Connection, service: str) -> dict[str, int]:
    """How many rows each table has, of those that are kept."""
    kept = [name for name in tables(connection) if not _is_left_out(service, name)]
    return {
        name: connection.scalar(text(f'SELECT count(*) FROM public."{name}"')) or 0  # noqa: S608
        for name in kept
    }


def heads(connection: Connection) -> list[str]:
    """The newest migrations that ran."""
    return sorted(connection.scalars(text("SELECT version_num FROM alembic_version")))


def server_version(connection: Connection) -> str:
    """Such as `18.6`, without what a distribution adds."""
    return str(connection.scalar(text("SHOW server_version"))).split()[0]


def is_owner(connection: Connection) -> bool:
    """Whether this account owns the tables, and so sees all of their rows."""
    return bool(connection.scalar(_MAY_READ_ALL))


def _is_left_out(service: str, table: str) -> bool:
    return any(Path(table).match(pattern) for pattern in LEFT_OUT.get(service, ()))
