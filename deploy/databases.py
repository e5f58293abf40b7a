"""The services' databases on a PostgreSQL, each with two roles: one that owns it and one that may
only read and write its rows.

`python -m deploy.databases` makes what is missing and migrates all of them: the one-shot step
before the services start.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection
from sqlalchemy import URL, make_url

from chassis import migrate
from chassis.settings import SettingsError, with_files

SERVICES = ("residents", "tickets", "notifications", "gateway")
ADMINISTRATOR = "LINLI_DATABASE_ADMIN_URL"
PRIVATE_LOG = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
"""Without which the server's own log holds what people wrote: statements that failed stand there
with their values, and rows that broke a constraint (`DETAIL`) with all of theirs.
"""


def prepare(environ: Mapping[str, str]) -> list[str]:
    """Make each service's database and its two roles where they are missing, with the names and
    passwords of `LINLI_DATABASE_URL_…` and `LINLI_DATABASE_OWNER_URL_…`; the databases' names.

    With `LINLI_DATABASE_ADMIN_URL` unset, somebody else has made them. Raises SettingsError,
    psycopg2.Error.
    """
    if not environ.get(ADMINISTRATOR):
        return []
    with Administration(environ[ADMINISTRATOR]) as administration:
        return [_prepare(administration, service, environ) for service in SERVICES]


def _prepare(administration: "Administration", service: str, environ: Mapping[str, str]) -> str:
    application = _url(environ, f"LINLI_DATABASE_URL_{service.upper()}")
    owner = _url(environ, f"LINLI_DATABASE_OWNER_URL_{service.upper()}")
    for role in (owner, application):
        administration.role(str(role.username), str(role.password))
    database = str(application.database)
    administration.database(database, str(owner.username), str(application.username))
    return database


def _url(environ: Mapping[str, str], variable: str) -> URL:
    if not environ.get(variable):
        raise SettingsError(f"{variable} must be set")
    return make_url(environ[variable])


def connect(url: str, **options: Any) -> connection:
    """A psycopg2 connection from a URL as SQLAlchemy writes it; raises psycopg2.Error."""
    return psycopg2.connect(url.replace("postgresql+psycopg2:", "postgresql:"), **options)


class Administration:
    """Roles and databases, by the superuser; each statement commits by itself."""

    def __init__(self, url: str) -> None:
        self._connection = connect(url)
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()

    def __enter__(self) -> "Administration":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def role(self, name: str, password: str) -> None:
        """A role that may log in and nothing else."""
        if not self._exists("pg_roles", "rolname", name):
            self._do("CREATE ROLE {} LOGIN", sql.Identifier(name))
        self._do("ALTER ROLE {} PASSWORD {}", sql.Identifier(name), sql.Literal(password))

    def database(self, name: str, owner: str, application: str) -> None:
        """A database that only these two may enter, and the owner alone may shape."""
        database = sql.Identifier(name)
        if not self._exists("pg_database", "datname", name):
            self._do("CREATE DATABASE {} OWNER {}", database, sql.Identifier(owner))
        self._do("REVOKE ALL ON DATABASE {} FROM PUBLIC", database)
        self._do("GRANT CONNECT ON DATABASE {} TO {}", database, sql.Identifier(application))

    def _exists(self, catalogue: str, column: str, name: str) -> bool:
        query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s")
        identifiers = sql.Identifier(catalogue), sql.Identifier(column)
        self._cursor.execute(query.format(*identifiers), (name,))
        return self._cursor.fetchone() is not None

    def _do(self, statement: str, *parts: sql.Composable) -> None:
        self._cursor.execute(sql.SQL(statement).format(*parts))


def main() -> int:
    """Prepare and migrate what the environment names; 78 for a setting that is missing."""
    try:
        environ = with_files(os.environ)
        for database in prepare(environ):
            print(f"{database}: prepared")
    except SettingsError as missing:
        print(missing, file=sys.stderr)
        return 78
    for service in SERVICES:
        migrate.main(f"services.{service}", environ)
        print(f"{service}: migrated", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
