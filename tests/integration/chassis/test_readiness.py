"""What a service's readiness depends on: its broker, its database, the migrations, and whether its
events leave. Whether it lives depends on none of them.
"""

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from sqlalchemy import create_engine, make_url, text

from chassis.testing import eventually
from chassis.testing.figures import health_port
from tests.integration.chassis.conftest import Toy

READY = {"broker": "ok", "database": "ok", "migrations": "ok", "outbox": "ok"}


def asked(toy: Toy, path: str) -> tuple[int, dict[str, Any]]:
    """Status and body of an answer on the port for health."""
    address = f"http://127.0.0.1:{health_port(toy.process.log)}{path}"
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def becomes(toy: Toy, status: int, word: str, **checks: str) -> None:
    """Wait until it says so, with these checks failing; all the while it lives."""

    def says_so() -> bool:
        assert asked(toy, "/livez") == (200, {"status": "alive"})
        found, body = asked(toy, "/readyz")
        return (
            found == status and body["status"] == word and checks.items() <= body["checks"].items()
        )

    eventually(says_so)


@pytest.fixture
def operator(echo_environ: dict[str, str], postgres: Any) -> Iterator[Callable[..., None]]:
    """Runs a statement in the toy's database, as its superuser."""
    name = make_url(echo_environ["LINLI_DATABASE_URL_ECHO"]).database
    engine = create_engine(postgres.url(name), pool_pre_ping=True)

    def run(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement))

    yield run
    engine.dispose()


def test_with_everything_there_it_is_ready(echo: Toy) -> None:
    becomes(echo, 200, "ready", **READY)

    assert asked(echo, "/readyz")[1]["checks"] == READY


def test_without_its_broker_it_still_takes_requests(echo: Toy, rabbitmq: Any) -> None:
    rabbitmq.kill()
    try:
        becomes(echo, 200, "degraded", broker="not_usable", database="ok")
    finally:
        rabbitmq.start()
    becomes(echo, 200, "ready", **READY)


def test_without_its_database_it_takes_none(echo: Toy, postgres: Any) -> None:
    postgres.stop()
    try:
        becomes(echo, 503, "unavailable", database="OperationalError", broker="ok")
    finally:
        postgres.start()
    becomes(echo, 200, "ready", **READY)


def test_with_events_that_do_not_leave_it_says_so(echo: Toy, operator: Callable[..., None]) -> None:
    (relay,) = eventually(psutil.Process(echo.process.pid).children)
    relay.send_signal(signal.SIGSTOP)
    try:
        echo.call("add", "stays", 1)
        operator("UPDATE outbox SET created_at = now() - interval '31 seconds'")
        becomes(echo, 200, "degraded", outbox="old", broker="ok", database="ok")
    finally:
        relay.send_signal(signal.SIGCONT)
    becomes(echo, 200, "ready", **READY)


def test_with_a_database_that_lacks_a_migration_it_does_not_begin(
    echo: Toy, operator: Callable[..., None]
) -> None:
    echo.process.stop()
    operator("CREATE TABLE kept AS SELECT * FROM alembic_version; DELETE FROM alembic_version")
    before = len(echo.process.log)
    try:
        echo.process.start()
        eventually(lambda: '"migrations of the database"' in echo.process.log[before:])
        assert "health_listening" not in echo.process.log[before:]
    finally:
        operator("INSERT INTO alembic_version SELECT * FROM kept; DROP TABLE kept")
    eventually(lambda: "health_listening" in echo.process.log[before:])
    becomes(echo, 200, "ready", **READY)
