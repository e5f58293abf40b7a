"""Migrations: run by the owner, once, and the application may use the rows and no more."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from chassis import migrate

TOY = "tests.toys.echo"


@pytest.fixture
def urls(postgres: Any) -> dict[str, str]:
    found: dict[str, str] = postgres.create_service_database("echo")
    return found


@pytest.fixture
def application(urls: dict[str, str]) -> Iterator[Engine]:
    engine = create_engine(urls["app_url"])
    yield engine
    engine.dispose()


def _upgrade(urls: dict[str, str]) -> None:
    migrate.upgrade(TOY, urls["owner_url"], str(make_url(urls["app_url"]).username))


def test_a_database_is_behind_until_it_was_migrated(
    urls: dict[str, str], application: Engine
) -> None:
    assert migrate.behind(TOY, application)

    _upgrade(urls)
    _upgrade(urls)

    assert not migrate.behind(TOY, application)


def test_old_code_finds_nothing_missing_in_a_database_that_newer_code_has_migrated(
    urls: dict[str, str], application: Engine
) -> None:
    _upgrade(urls)
    owner = create_engine(urls["owner_url"])
    with owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    owner.dispose()

    assert not migrate.behind(TOY, application)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "DROP TABLE outbox",
        "ALTER TABLE inbox ADD COLUMN more int",
        "TRUNCATE outbox",
        "UPDATE alembic_version SET version_num = '0000'",
    ],
)
def test_the_application_may_not_change_its_schema(
    urls: dict[str, str], application: Engine, statement: str
) -> None:
    _upgrade(urls)

    with (
        application.connect() as connection,
        pytest.raises(ProgrammingError, match=r"permission|owner"),
    ):
        connection.execute(text(statement))
