"""Where operators' commands find the broker, the databases and the gateway."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from chassis.settings import database_url
from deploy.api import Api
from deploy.broker import Broker

VARIABLES = ("LINLI_AMQP_URI", "LINLI_RABBITMQ_MANAGEMENT_URL")
CONNECT_SECONDS = 5


class SettingMissing(Exception):
    """A variable that is needed is not set; the message names it."""


def broker(environ: Mapping[str, str] = os.environ) -> Broker:
    """The broker that the environment names, by an administrator's account; raises
    SettingMissing.
    """
    for variable in VARIABLES:
        if not environ.get(variable):
            raise SettingMissing(f"{variable} must be set")
    return Broker(*(environ[variable] for variable in VARIABLES))


def api(environ: Mapping[str, str]) -> Api:
    """The gateway that the environment names, by an administrator's API key; raises
    SettingMissing.
    """
    for variable in ("LINLI_URL", "LINLI_API_KEY"):
        if not environ.get(variable):
            raise SettingMissing(f"{variable} must be set")
    return Api(environ["LINLI_URL"].rstrip("/"), environ["LINLI_API_KEY"])


def database(service: str, environ: Mapping[str, str], *, owner: bool = False) -> str:
    """The URL of a service's database, by the application's account or by the owner's where the
    environment names one; raises SettingMissing.
    """
    variable = f"LINLI_DATABASE_URL_{service.upper()}"
    owners = environ.get(f"LINLI_DATABASE_OWNER_URL_{service.upper()}") if owner else None
    if not (found := owners or environ.get(variable)):
        raise SettingMissing(f"{variable} must be set")
    return database_url(found)


def engine(url: str) -> Engine:
    """An engine for one command: no connection outlives its use, none is waited for for long."""
    return create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "linli"},
    )


@contextmanager
def connected(url: str, *, seconds: float = 30) -> Iterator[Connection]:
    """A connection whose statements give up after so many seconds; what it changes is kept at the
    end of the block. Raises sqlalchemy.exc.OperationalError.
    """
    with engine(url).begin() as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
        yield connection
