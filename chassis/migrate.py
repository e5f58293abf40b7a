"""Schema migrations: Alembic run as the owner of a database, who then grants the application its
rows and no more. Services go on working meanwhile, so no migration keeps them waiting for long.

`python -m chassis.migrate services.tickets` brings one service's database to its newest migration.
"""

import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic import command, context, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from chassis import inbox, logs, outbox
from chassis.settings import database_url, with_files

log = logs.get("migrate")

# One number for all: two that migrate the same database wait for each other.
_LOCK = 7_216_001
# While a statement waits for a table, everybody else waits behind it: it waits this long
# (milliseconds) and, so that it comes through in the end, tries again so often, a pause (seconds)
# after each.
_LOCK_TIMEOUT, _TRIES, _PAUSE = 500, 60, 0.5
_LOCK_NOT_AVAILABLE = "55P03"


def create_outbox() -> None:
    """Create the outbox; for the first migration of a service that emits events."""
    outbox.metadata.create_all(op.get_bind())


def create_inbox() -> None:
    """Create the inbox; for the first migration of a service that consumes events."""
    inbox.metadata.create_all(op.get_bind())


_REFUSE_CHANGES = """
CREATE OR REPLACE FUNCTION refuse_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('linli.forgetting', true) = 'yes' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""


def make_append_only(*tables: str) -> None:
    """Let nobody, not even their owner, change or delete rows of these tables, and take the grants
    to do so from the application.

    What is too old is deleted by a function of a migration that sets `linli.forgetting` to `yes`.
    """
    op.execute(_REFUSE_CHANGES)
    for table in tables:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_changes()"
        )


def add_index(name: str, table: str, columns: Sequence[Any], **options: Any) -> None:
    """Index a table while others write to it. A migration that does this does nothing else: it is
    no transaction, and what was cut short is begun anew.
    """
    with _in_no_transaction():
        # An earlier try may have left it behind, unfinished.
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
        op.create_index(name, table, columns, postgresql_concurrently=True, **options)


def backfill(table: str, change: str, where: str, batch: int = 1000) -> None:
    """Change rows by SQL's `SET change WHERE where`, so many at a time, each batch a
    transaction of its own, until there are none; it must not hold any more of a row once it is
    changed. A migration that does this does nothing else.
    """
    some = f"SELECT ctid FROM {table} WHERE {where} LIMIT {batch} FOR UPDATE"  # noqa: S608 - ours
    with _in_no_transaction():
        if op.get_context().as_sql:
            op.execute(f"-- in batches: UPDATE {table} SET {change} WHERE {where}")  # noqa: S608
            return
        statement = text(f"UPDATE {table} SET {change} WHERE ctid = ANY(ARRAY({some}))")  # noqa: S608
        while op.get_bind().execute(statement).rowcount:
            log.info("backfilled", table=table)


@contextmanager
def _in_no_transaction() -> Iterator[None]:
    with op.get_context().autocommit_block():
        # It waits for those who are in the middle of something, and keeps nobody waiting.
        op.execute("SET lock_timeout = 0")
        yield
        op.execute(f"SET lock_timeout = {_LOCK_TIMEOUT}")


def run_migrations(metadata: MetaData) -> None:
    """What each service's `migrations/env.py` calls: run what Alembic was asked for on the
    connection it was given, or only say it.
    """
    connection: Connection | None = context.config.attributes["connection"]
    how = {"connection": connection} if connection else {"dialect_name": "postgresql"}
    context.configure(
        **how, target_metadata=metadata, compare_type=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


def upgrade(package: str, owner_url: str, application_user: str) -> None:
    """Bring the database to the newest migration and grant `application_user` its rows. Each
    migration is a transaction; repeating all of it changes nothing, and goes on where it was cut
    short. Raises sqlalchemy.exc.OperationalError when a lock is not to be had for a minute.
    """
    engine = create_engine(owner_url)
    try:
        with engine.connect() as connection:
            _wait_for_turn(connection)
            connection.execute(text(f"SET lock_timeout = {_LOCK_TIMEOUT}"))
            connection.commit()
            _patiently(connection, lambda: command.upgrade(_config(package, connection), "head"))
            _patiently(connection, lambda: _grant(connection, application_user))
    finally:
        engine.dispose()


def since(package: str, revision: str) -> Sequence[Script]:
    """The migrations that follow a revision, oldest first."""
    scripts = ScriptDirectory.from_config(_config(package))
    return [*scripts.iterate_revisions("head", revision)][::-1]


def sql(package: str, after: str, last: str) -> str:
    """What the migrations that follow the revision `after` up to `last` would do, as SQL."""
    config = _config(package)
    config.output_buffer = io.StringIO()
    command.upgrade(config, f"{after}:{last}", sql=True)
    return config.output_buffer.getvalue()


def heads(package: str) -> Sequence[str]:
    """The newest migration of the code; several if they are no line."""
    return ScriptDirectory.from_config(_config(package)).get_heads()


def behind(package: str, engine: Engine) -> bool:
    """Whether the database lacks a migration that this code has.

    A migration that this code does not know is one of newer code, which runs beside it during an
    update: then the database lacks nothing.
    """
    with engine.connect() as connection:
        current = set(MigrationContext.configure(connection).get_current_heads())
    scripts = ScriptDirectory.from_config(_config(package))
    known = {script.revision for script in scripts.walk_revisions()}
    return not current or bool(current & known - set(scripts.get_heads()))


def knows(package: str, revision: str) -> bool:
    """Whether this code has a migration."""
    scripts = ScriptDirectory.from_config(_config(package))
    return revision in {script.revision for script in scripts.walk_revisions()}


def _config(package: str, connection: Connection | None = None) -> Config:
    module: ModuleType = import_module(package)
    config = Config()
    config.set_main_option("script_location", str(Path(str(module.__file__)).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _wait_for_turn(connection: Connection) -> None:
    # Not by a statement that waits: an index that is made concurrently waits for all of those.
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}):
        connection.commit()
        time.sleep(_PAUSE)
    connection.commit()


def _patiently(connection: Connection, step: Callable[[], None]) -> None:
    """Do it, again and again while others have locks that it needs."""
    for left in reversed(range(_TRIES)):
        try:
            step()
            connection.commit()
        except OperationalError as error:
            connection.rollback()
            if left == 0 or getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE:
                raise
            log.info("migration_waits", left=left)
            time.sleep(_PAUSE)
        else:
            return


_APPEND_ONLY = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only'"


def _grant(connection: Connection, user: str) -> None:
    if user == connection.scalar(text("SELECT current_user")):
        return  # Servers of one's own may have a single user, who is the owner already.
    name = connection.dialect.identifier_preparer.quote(user)
    for statement in (
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
        # Which migrations ran is the owner's to say.
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {name}",
    ):
        connection.execute(text(statement))
    for table in connection.scalars(text(_APPEND_ONLY)):
        connection.execute(text(f"REVOKE UPDATE, DELETE ON {table} FROM {name}"))


def main(package: str, environ: Mapping[str, str] | None = None) -> None:
    """Migrate the database that the environment names for the service in `package`."""
    given = with_files(os.environ if environ is None else environ)
    service = package.rsplit(".", 1)[-1].upper()
    application_url = given[f"LINLI_DATABASE_URL_{service}"]
    owner_url = given.get(f"LINLI_DATABASE_OWNER_URL_{service}", application_url)
    upgrade(package, database_url(owner_url), str(make_url(application_url).username))


if __name__ == "__main__":
    main(sys.argv[1])
