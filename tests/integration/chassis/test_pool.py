"""Workers never wait for a connection to the database, and whoever does is counted."""

import threading
import time
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine, text

from chassis import database
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
