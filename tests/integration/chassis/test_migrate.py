"""Migrations: run by the owner, once, and the application may use the rows and no more. They keep
nobody waiting, and wait for others themselves.
"""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from chassis import migrate
from chassis.testing import eventually

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


@pytest.fixture
def owner(urls: dict[str, str]) -> Iterator[Engine]:
    engine = create_engine(urls["owner_url"])
    yield engine
    engine.dispose()


@pytest.fixture
def grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The toy with three more migrations, each what a howto says to do."""
    package = tmp_path / "grown_echo"
    shutil.copytree("tests/toys/echo/migrations", package / "migrations")
    (package / "__init__.py").touch()
    for revision, body in enumerate(STEPS, 2):
        head = f'import sqlalchemy as sa\nfrom alembic import op\nrevision = "{revision:04}"\n'
        head += f'down_revision = "{revision - 1:04}"\nfrom chassis import migrate\n'
        file = package / "migrations" / "versions" / f"{revision:04}_step.py"
        file.write_text(f"{head}def upgrade():\n    {body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    return "grown_echo"


STEPS = (
    "op.add_column('effects', sa.Column('twice', sa.Integer))",
    "migrate.backfill('effects', 'twice = 2 * number', 'twice IS NULL', batch=3)",
    "migrate.add_index('effects_twice', 'effects', ['twice'])",
)


def _upgrade(urls: dict[str, str], package: str = TOY) -> None:
    migrate.upgrade(package, urls["owner_url"], str(make_url(urls["app_url"]).username))


def _effects(engine: Engine, *numbers: int) -> None:
    with engine.begin() as connection:
        for number in numbers:
            statement = "INSERT INTO effects (subject, number) VALUES ('s', :n)"
            connection.execute(text(statement), {"n": number})


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


def test_rows_are_brought_up_to_date_in_batches_and_indexed_beside_those_who_write(
    urls: dict[str, str], application: Engine, grown: str
) -> None:
    _upgrade(urls)
    _effects(application, *range(10))

    with application.begin() as connection:
        # Somebody is in the middle of something: the column waits for them.
        connection.execute(text("INSERT INTO effects (subject, number) VALUES ('s', 10)"))
        migrating = threading.Thread(target=_upgrade, args=(urls, grown))
        migrating.start()
        eventually(lambda: _value(application, LOCKED_OUT) == 1, within=20)
    eventually(lambda: _value(application, COMING) == 1, within=20)
    _effects(application, 11)
    migrating.join()

    assert _value(application, "SELECT count(*) FROM effects WHERE twice = 2 * number") == 11
    assert _value(application, VALID)
    assert not migrate.behind(grown, application)


def test_a_migration_that_waits_for_a_table_lets_others_pass(
    urls: dict[str, str], application: Engine, grown: str
) -> None:
    _upgrade(urls)
    with application.begin() as connection:
        connection.execute(text("SELECT * FROM effects"))
        migrating = threading.Thread(target=_upgrade, args=(urls, grown))
        migrating.start()
        eventually(lambda: _value(application, LOCKED_OUT) == 1, within=20)

        _effects(application, 1)

        assert migrating.is_alive()
    migrating.join()
    assert not migrate.behind(grown, application)


def test_two_that_migrate_the_same_database_wait_for_each_other(
    urls: dict[str, str], application: Engine, grown: str
) -> None:
    both = [threading.Thread(target=_upgrade, args=(urls, grown)) for _ in range(2)]

    for each in both:
        each.start()
    for each in both:
        each.join()

    assert not migrate.behind(grown, application)
    assert _value(application, VALID)


def test_an_index_that_was_cut_short_is_made_anew(
    urls: dict[str, str], owner: Engine, application: Engine, grown: str
) -> None:
    _upgrade(urls, grown)
    with owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    assert migrate.behind(grown, application)

    _upgrade(urls, grown)

    assert not migrate.behind(grown, application)


LOCKED_OUT = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'effects'::regclass"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'effects_twice'::regclass"
COMING = "SELECT count(*) FROM pg_class WHERE relname = 'effects_twice'"


def _value(engine: Engine, statement: str) -> Any:
    with engine.connect() as connection:
        return connection.scalar(text(statement))
