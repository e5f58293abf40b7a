"""Workers never wait for a connection to the database, and whoever does is counted."""

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from chassis import database, pool
from chassis.settings import ServiceSettings
from chassis.testing import eventually
from chassis.testing.figures import figures_at, health_port
from tests.integration.chassis.conftest import Toy

WORKERS = 10
CALLERS = 30


def waits() -> tuple[float, float]:
    """How many waits were counted in this process, and their seconds."""
    found = [
        REGISTRY.get_sample_value(f"linli_pool_wait_seconds_{part}") for part in ("count", "sum")
    ]
    return found[0] or 0.0, found[1] or 0.0


@pytest.fixture
def engine_of_one(echo_environ: dict[str, str]) -> Iterator[Engine]:
    """An engine with one connection."""
    settings = ServiceSettings.load("echo", echo_environ)
    engine = database.make_engine(settings, pool_size=1)
    yield engine
    engine.dispose()


def test_whoever_finds_no_connection_is_counted_with_the_time_they_waited(
    engine_of_one: Engine,
) -> None:
    times, seconds = waits()
    with engine_of_one.connect() as only:
        only.execute(text("SELECT 1"))
        waiter = threading.Thread(target=lambda: engine_of_one.connect().close())
        waiter.start()
        begun = time.monotonic()
        waiter.join(0.2)
        held = time.monotonic() - begun
    waiter.join()
    engine_of_one.connect().close()

    now_times, now_seconds = waits()
    assert now_times == times + 1
    assert now_seconds - seconds > held / 2


def test_with_every_worker_in_the_database_nobody_waits_for_a_connection(echo: Toy) -> None:
    port = health_port(echo.process.log)
    before = figures_at(port)["linli_pool_wait_seconds_count",]
    callers = [
        threading.Thread(target=lambda: echo.call("add", "crowded", 1, within=10))
        for _ in range(CALLERS)
    ]
    with echo.engine.begin() as holding:
        holding.execute(text("LOCK TABLE notes IN EXCLUSIVE MODE"))
        for caller in callers:
            caller.start()
        eventually(lambda: figures_at(port)["linli_pool_in_use",] >= WORKERS)
    for caller in callers:
        caller.join()

    assert figures_at(port)["linli_pool_wait_seconds_count",] == before


def server_process(connection: Connection) -> int:
    """The process of the server that serves this connection."""
    return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()


def end(toy: Toy, pid: int) -> None:
    with toy.engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


def used_and_ended(echo: Toy, engine: Engine) -> int:
    """The process of a connection that was used just now, and is gone."""
    with engine.connect() as connection:
        pid = server_process(connection)
    end(echo, pid)
    return pid


def test_a_connection_that_has_rested_is_asked_first_and_replaced_if_it_is_gone(
    echo: Toy, engine_of_one: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "RESTED", 0.0)
    first = used_and_ended(echo, engine_of_one)

    with engine_of_one.connect() as connection:
        assert server_process(connection) != first


def test_one_that_was_used_just_now_is_not_asked_and_costs_one_failure_at_most(
    echo: Toy, engine_of_one: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "RESTED", 3600.0)
    first = used_and_ended(echo, engine_of_one)

    with pytest.raises(OperationalError) as failure, engine_of_one.connect() as connection:
        server_process(connection)
    assert database.is_infrastructure(failure.value)
    with engine_of_one.connect() as connection:
        assert server_process(connection) != first


def test_a_single_statement_is_in_force_at_once_and_the_next_transaction_is_one(
    engine_of_one: Engine,
) -> None:
    kept = text("SELECT set_config('linli.kept', :value, false)")
    with pool.singly(engine_of_one) as connection:
        connection.execute(kept, {"value": "one"})
    with engine_of_one.connect() as connection:
        connection.execute(kept, {"value": "two"})

    with engine_of_one.connect() as connection:
        assert connection.scalar(text("SELECT current_setting('linli.kept')")) == "one"


@pytest.mark.parametrize("noticed", [True, False])
def test_a_connection_that_dies_in_a_single_statement_leaves_its_place_to_another(
    echo: Toy, engine_of_one: Engine, noticed: bool
) -> None:
    with pool.singly(engine_of_one) as connection:
        first = server_process(connection)
        end(echo, first)
        if noticed:
            with pytest.raises(OperationalError):
                server_process(connection)
    with contextlib.suppress(OperationalError), engine_of_one.connect() as connection:
        server_process(connection)

    with pool.singly(engine_of_one) as connection:
        assert server_process(connection) != first
