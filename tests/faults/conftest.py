"""The system that is broken, who makes load on it, and the report at the end.

`LINLI_SEED` repeats a run's choices; without it each run makes its own and says which.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.drill import Drill, Report, Watchers
from tests.faults.ledger import Ledger
from tests.faults.load import Crowd
from tests.stack.fixtures import community, ready, stack
from tests.stack.stack import Stack
from tests.stack.wire import Log, Subscriber

__all__ = ["community", "ready", "stack"]

SEED = int(os.environ.get("LINLI_SEED") or random.SystemRandom().randrange(1_000_000))
REPORT = Report()


def pytest_report_header() -> str:
    """So that a run that found something can be made again."""
    return f"LINLI_SEED={SEED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What all drills have seen."""
    terminalreporter.section("faults")
    terminalreporter.write_line(f"LINLI_SEED={SEED} · {REPORT}")


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """This test's choices."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture(scope="session")
def crowd(stack: Stack) -> Iterator[Crowd]:
    """Everybody who makes load, signed in while all is well."""
    people = stack.community
    yield Crowd(people)
    people.close()


@pytest.fixture(scope="session")
def watchers(stack: Stack) -> Iterator[Watchers]:
    """Water, reading its queue for the whole session, and an observer who reads the log."""
    with Subscriber(stack.ready["departments"]["water"]["amqp_uri"], "water.events") as water:
        yield Watchers(water, Log(stack.ready["amqp_uri"]))


@pytest.fixture
def drill(
    stack: Stack, crowd: Crowd, watchers: Watchers, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Drill]:
    """One run on a system that is whole at its beginning and at its end."""
    heal(stack)
    ledger = Ledger(tmp_path / "ledger.jsonl")
    seed = random.Random(f"{SEED} {request.node.name}").randrange(1_000_000)
    yield Drill(stack, crowd, watchers, ledger, REPORT, seed)
    ledger.close()
    heal(stack)


def heal(stack: Stack) -> None:
    """Bring back whatever a failed test left broken."""
    for server in (stack.rabbitmq, stack.postgres):
        server.thaw()
        if not server.running:
            server.start()
    stack.heal()
