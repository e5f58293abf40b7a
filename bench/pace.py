"""Filing at a steady pace, however long each answer takes, and listeners in processes of their own:
what they cost must not hide what is measured.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.local import places
from tests.stack.clients import Client, filing, new_key
from tests.stack.stack import Stack

_AT_ONCE = 16


def file_steadily(stack: Stack, rate: float, count: int) -> None:
    """File so many tickets, `rate` of them a second; raises AssertionError when one is refused."""
    start = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        # One connection for each thread would be lost with it: so each ticket takes a free one.
        free = [Client(stack.ready["url"], stack.ready["api_key"]) for _ in range(_AT_ONCE)]
        asked = []
        for number in range(count):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            asked.append(pool.submit(_file, free))
        for one in asked:
            one.result()
    for client in free:
        client.close()


def _file(free: list[Client]) -> None:
    client = free.pop()
    try:
        client.make("tickets", filing(), key=new_key())
    finally:
        free.append(client)


def committed(stack: Stack, tickets: Sequence[str]) -> Mapping[str, float]:
    """When the filing of each ticket was committed, in seconds of the clock."""
    moment = "CAST(extract(epoch FROM pg_xact_commit_timestamp(xmin)) AS float8)"
    wanted = "id = ANY(CAST(:ids AS uuid[]))"
    query = f"SELECT CAST(id AS text), {moment} AS at FROM tickets WHERE {wanted}"  # noqa: S608
    return {row["id"]: row["at"] for row in stack.rows("tickets", query, ids=list(tickets))}


@dataclass(frozen=True)
class Listener:
    """A program that prints a line once it listens, and at its end what it heard as JSON: for each
    ticket when it heard of it.
    """

    process: subprocess.Popen[str]

    def ready(self) -> None:
        """Wait until it listens; raises RuntimeError when it does not."""
        if self._line() != "ready\n":
            raise RuntimeError("a listener does not listen")

    def heard(self) -> dict[str, list[float]]:
        """Wait until it has heard everything; raises ValueError when it ended before."""
        found: dict[str, list[float]] = json.loads(self._line())
        return found

    def _line(self) -> str:
        assert self.process.stdout is not None  # noqa: S101  (says so to the type checker)
        return self.process.stdout.readline()


@contextmanager
def listening(module: str, *arguments: object) -> Iterator[Listener]:
    """The program, started and listening, ended with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=places.ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            listener = Listener(process)
            listener.ready()
            yield listener
        finally:
            process.kill()
