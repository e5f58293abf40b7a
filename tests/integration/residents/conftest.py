"""A migrated database of residents, rolled back after each test, and a world to act in."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from chassis import migrate
from chassis.testing.sessions import rolled_back
from tests.integration.residents.world import OPEN, World


@pytest.fixture(scope="session")
def database(postgres) -> dict[str, str]:
    """`{"owner_url", "app_url"}` of a database that the migrations have made."""
    urls = postgres.create_service_database("residents")
    migrate.upgrade("services.residents", urls["owner_url"], "linli_residents")
    return urls


@pytest.fixture(scope="session")
def engine(database) -> Iterator[Engine]:
    """Connections of the application's user, which see everything, but for what a world does."""
    engine = create_engine(database["app_url"], connect_args=OPEN)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def concurrent(postgres) -> Iterator[Engine]:
    """A database of their own for tests in which several transactions meet, and so must commit."""
    urls = postgres.create_service_database("residents")
    migrate.upgrade("services.residents", urls["owner_url"], "linli_residents")
    engine = create_engine(urls["app_url"], pool_size=8, connect_args=OPEN)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine) -> Iterator[Session]:
    """The application's session, in a transaction that is rolled back."""
    with rolled_back(engine) as session:
        yield session


@pytest.fixture
def owner_session(database) -> Iterator[Session]:
    """The owner's: the application may neither ANALYZE nor look at the whole schema."""
    engine = create_engine(database["owner_url"])
    with rolled_back(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture
def world(session) -> World:
    """The demo community, and commands as callers give them."""
    return World(session)
