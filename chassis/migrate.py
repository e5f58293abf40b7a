"""Schema migrations: Alembic run as the owner of a database, who then grants the application its
rows and no more.

`python -m chassis.migrate services.tickets` brings one service's database to its newest migration.
"""

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

from alembic import command, context, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, make_url, text

from chassis import inbox, outbox
from chassis.settings import database_url, with_files

# One number for all: two that migrate the same database wait for each other.
_LOCK = 7_216_001


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


def run_migrations(metadata: MetaData) -> None:
    """What each service's `migrations/env.py` calls: run what Alembic was asked for on the
    connection it was given.
    """
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


def upgrade(package: str, owner_url: str, application_user: str) -> None:
    """Bring the database to the newest migration and grant `application_user` its rows. Repeating
    it changes nothing.
    """
    engine = create_engine(owner_url)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            command.upgrade(_config(package, connection), "head")
            _grant(connection, application_user)
    finally:
        engine.dispose()


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
