"""The system that is fuzzed, and what each operation has answered so far.

`LINLI_FUZZ_SEED` repeats a run's choices.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.fuzz.running import Answers, Run, run
from tests.stack.clients import Community
from tests.stack.fixtures import community, ready, stack

__all__ = ["community", "ready", "stack"]

SEED = int(os.environ.get("LINLI_FUZZ_SEED") or random.SystemRandom().randrange(1_000_000))
AT_A_TIME = 3
"""Roles: while one waits for an answer, another makes up its next request."""
ANSWERED: Answers = Counter()


@pytest.fixture(scope="session")
def stack_settings() -> dict[str, str]:
    """Every role asks for codes, and for people's data, again and again."""
    return {"LINLI_CODES_PER_PHONE": "1000000", "LINLI_RATE_DISCLOSURES": "1000000/minute"}


@pytest.fixture(scope="session")
def known(community: Community) -> Mapping[str, Any]:
    """What `ready.json` tells, and the resident's token: of two who ask for codes for the same
    phone at the same time, only one is let in.
    """
    return {**community.ready, "resident": community.resident().token}


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest,
    known: Mapping[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[tuple[str, tuple[str, ...]], Future[Run]]]:
    """What comes of the roles whose tests were chosen, by them and their options."""
    chosen = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {
            (role, options): pool.submit(
                run, known, role, SEED, tmp_path_factory.mktemp(role), *options
            )
            for role, options in ((params["role"], params["options"]) for params in chosen)
        }


@pytest.fixture
def answered() -> Answers:
    """How often each operation has answered with each status, of all roles together."""
    return ANSWERED


def pytest_report_header() -> str:
    """So that a run that found something can be made again."""
    return f"LINLI_FUZZ_SEED={SEED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was asked and answered."""
    statuses: Counter[int] = Counter()
    for (_, status), times in ANSWERED.items():
        statuses[status] += times
    told = ", ".join(f"{times} × {status}" for status, times in sorted(statuses.items()))
    operations = len({operation for operation, _ in ANSWERED})
    terminalreporter.section("fuzz")
    terminalreporter.write_line(
        f"LINLI_FUZZ_SEED={SEED} · {operations} operations, {statuses.total()} answers: {told}"
    )
