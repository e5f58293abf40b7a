"""The ground that everything is measured on: Linli with its servers, as `make up` runs it, and how
much of everything there is to be.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.report import Report
from deploy.local import places
from deploy.local.servers import DURABLE
from tests.stack.stack import Stack

# For all systems alike. The time of a commit says when its event could have left at the earliest.
_POSTGRES = {
    **DURABLE,
    "shared_buffers": "512MB",
    "max_connections": "400",
    "max_wal_size": "4GB",
    "track_commit_timestamp": "on",
}
# The load comes from one address under one key; and what is slow on a busy machine is to be seen as
# slow, not to fail.
_SETTINGS = {"LINLI_RATE_IMPORT": "10000000/minute", "LINLI_CALL_DEADLINE": "10"}


@dataclass(frozen=True)
class Size:
    """How much is measured: stretches in seconds and those before that warm up, `rows` of the
    outbox, tickets in the small and in the large database.
    """

    rounds: int = 3
    seconds: float = 8.0
    warm: float = 2.0
    clients: int = 1000
    rows: int = 10_000
    tickets: tuple[int, int] = (10_000, 1_000_000)
    replicas: tuple[int, ...] = (1, 4)


SMOKE = Size(1, 1.0, 0.0, clients=20, rows=200, tickets=(200, 1000), replicas=(1, 2))
"""As little as shows that all of it still works."""


@dataclass(frozen=True)
class Ground:
    """What a measurement gets."""

    stack: Stack
    size: Size
    report: Report


@contextmanager
def ground(size: Size) -> Iterator[Ground]:
    """A system of our own, which goes at the end with all its data."""
    folder = places.scratch()
    stack = Stack(folder, _SETTINGS, _POSTGRES)
    try:
        stack.up()
        yield Ground(stack, size, Report())
    finally:
        stack.down()
        shutil.rmtree(folder, ignore_errors=True)


def until(reached: Callable[[], bool], what: Callable[[], str], within: float = 120.0) -> None:
    """Wait for a condition; raises TimeoutError saying what is the matter."""
    give_up = time.monotonic() + within
    while not reached():
        if time.monotonic() > give_up:
            raise TimeoutError(what())
        time.sleep(0.2)
