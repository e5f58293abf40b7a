"""The system that is broken, who makes load on it, and the report at the end.

`LINLI_FAULTS_SEED` repeats a run's choices; without it each run makes its own and says which.
"""

import contextlib
import itertools
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chassis.testing import eventually
from deploy.databases import SERVICES
from tests.faults.alarms import clear_alarms, has_alarms
from tests.faults.drill import Drill, Report, Watchers, Wires
from tests.faults.event_stream import EventStream
from tests.faults.ledger import Ledger
from tests.faults.load import Crowd
from tests.stack.fixtures import community, ready, stack
from tests.stack.proxy import Proxy
from tests.stack.stack import Stack
from tests.stack.wire import Log, Subscriber

__all__ = ["community", "ready", "stack"]

SEED = int(os.environ.get("LINLI_FAULTS_SEED") or random.SystemRandom().randrange(1_000_000))
REPORT = Report()


def pytest_report_header() -> str:
    """So that a run that found something can be made again."""
    return f"LINLI_FAULTS_SEED={SEED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What all drills have seen."""
    terminalreporter.section("faults")
    terminalreporter.write_line(f"LINLI_FAULTS_SEED={SEED} · {REPORT}")


@pytest.fixture(scope="session")
def stack_settings() -> dict[str, str]:
    """So few events in the gateway's memory that it is soon as full as it gets, and who comes back
    reads from the table.
    """
    return {"LINLI_FEED_RING": "1000"}


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """This test's choices."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture(scope="session")
def crowd(stack: Stack) -> Iterator[Crowd]:
    """Everybody who makes load, signed in while all is well."""
    people = stack.community
    yield Crowd.of(people)
    people.close()


@pytest.fixture(scope="session")
def watchers(stack: Stack) -> Iterator[Watchers]:
    """Water, reading its queue for the whole session, an observer who reads the log, and an
    administrator who follows the stream.
    """
    administrator = stack.community.staff("administrator")
    with (
        Subscriber(stack.ready["departments"]["water"]["amqp_uri"], "water.events") as water,
        EventStream(administrator) as stream,
    ):
        eventually(lambda: stream.connections)
        yield Watchers(water, Log(stack.ready["amqp_uri"]), stream)
    administrator.close()


@pytest.fixture
def new_drill(
    stack: Stack, crowd: Crowd, watchers: Watchers, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Drill]]:
    """Makes drills, one after the other, each on a system that is whole at its beginning; it is so
    at the end, too.
    """
    seeds = random.Random(f"{SEED} {request.node.name}")
    numbers = itertools.count(1)
    with contextlib.ExitStack() as latest:

        def make() -> Drill:
            latest.close()
            heal(stack)
            ledger = Ledger(tmp_path / f"ledger-{next(numbers)}.jsonl")
            latest.callback(ledger.close)
            return Drill(stack, crowd, watchers, ledger, REPORT, seeds.randrange(1_000_000))

        yield make
    heal(stack)


@pytest.fixture
def drill(new_drill: Callable[[], Drill]) -> Drill:
    """The one of this test."""
    return new_drill()


@pytest.fixture
def replicas(drill: Drill) -> Iterator[list[str]]:
    """A second process of each service."""
    names = [drill.stack.add_replica(name) for name in SERVICES]
    drill.stack.wait_ready(*names)
    yield names
    for name in names:
        drill.stack.stop(name)


@pytest.fixture(scope="module")
def wires(stack: Stack) -> Iterator[Wires]:
    """All services, reaching their servers through proxies."""
    amqp, postgres, http = stack.rabbitmq.ports["amqp"], stack.postgres.port, stack.port("gateway")
    with Proxy(amqp) as broker, Proxy(postgres) as database, Proxy(http) as gateway:
        stack.detours = {amqp: broker.port, postgres: database.port}
        stack.restart_all()
        yield Wires(broker, database, gateway)
        stack.detours = {}
        stack.restart_all()


def heal(stack: Stack) -> None:
    """Bring back whatever a failed test left broken."""
    for server in (stack.rabbitmq, stack.postgres):
        server.thaw()
        if not server.running:
            server.start()
    if has_alarms(stack.rabbitmq):
        clear_alarms(stack.rabbitmq)
    stack.heal()
