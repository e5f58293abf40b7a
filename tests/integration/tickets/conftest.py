"""A migrated database of tickets, rolled back after each test, and the demo community in it."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from chassis import migrate, walls
from chassis.testing.sessions import rolled_back
from tests.integration.tickets.world import World


@pytest.fixture(scope="session")
def database(postgres: Any) -> dict[str, str]:
    """`{"owner_url", "app_url"}` of a database that the migrations have made."""
    return migrated(postgres)


def migrated(postgres: Any) -> dict[str, str]:
    """A new database that the migrations have made."""
    urls: dict[str, str] = postgres.create_service_database("tickets")
    migrate.upgrade("services.tickets", urls["owner_url"], "linli_tickets")
    return urls


@pytest.fixture(scope="session")
def engine(database: dict[str, str]) -> Iterator[Engine]:
    """Connections of the application's user."""
    engine = create_engine(database["app_url"])
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """The application's session, in a transaction that is rolled back. It sees everything, but for
    what the service does in it.
    """
    with rolled_back(engine) as session:
        walls.tell(session, walls.EVERYTHING)
        yield session


@pytest.fixture
def world(session: Session) -> World:
    """The demo community."""
    return World(session)
