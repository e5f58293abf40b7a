"""The system that is fuzzed, and what each operation has answered so far.

`LINLI_FUZZ_SEED` repeats a run's choices.
"""

import os
import random
from collections import Counter

import pytest

from tests.stack.fixtures import community, ready, stack

__all__ = ["community", "ready", "stack"]

SEED = int(os.environ.get("LINLI_FUZZ_SEED") or random.SystemRandom().randrange(1_000_000))
Answers = Counter[tuple[str, int]]
ANSWERED: Answers = Counter()


@pytest.fixture(scope="session")
def stack_settings() -> dict[str, str]:
    """Every role asks for codes again and again."""
    return {"LINLI_CODES_PER_PHONE": "1000000"}


@pytest.fixture
def seed() -> int:
    """This run's."""
    return SEED


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
