"""A client of `GET /api/v1/events/stream` as browsers are: it keeps what it gets, and when the
stream breaks it comes back with `Last-Event-ID`.
"""

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from tests.stack.clients import Client

SILENCE = 30.0
"""Seconds without a byte, heartbeats included, after which a connection is given up."""
PAUSE = 0.2


@dataclass(frozen=True)
class Received:
    """One event of the stream: its cursor `<epoch>-<offset>`, what its CloudEvent says, and when it
    came (`time.monotonic()`).
    """

    cursor: str
    id: str
    type: str
    subject: str
    sequence: int
    time: str
    at: float = field(compare=False)

    @property
    def offset(self) -> int:
        """Its place in the log."""
        return int(self.cursor.rpartition("-")[2])


class EventStream:
    """Follows the stream in a thread. A context manager. `refusals` are statuses other than 200 and
    503.
    """

    def __init__(self, client: Client) -> None:
        self.ledger: list[Received] = []
        self.connections = 0
        self.refusals: list[int] = []
        self._client = client
        self._cursor: str | None = None
        self._ending = threading.Event()
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, name="event stream")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        if self._connection and self._connection.sock:
            with contextlib.suppress(OSError):
                self._connection.sock.shutdown(2)
        self._thread.join()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Not connected meanwhile."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def wait_for(self, more: int, within: float = 60.0) -> None:
        """Until so many more events have come; raises AssertionError with how it stands."""
        before, deadline = len(self.ledger), time.monotonic() + within
        while len(self.ledger) < before + more:
            state = f"at {self._cursor}, {self.connections} connections, refused {self.refusals}"
            assert time.monotonic() < deadline, f"{len(self.ledger) - before} of {more}, {state}"
            time.sleep(0.01)

    def reach(self, offset: int, within: float) -> bool:
        """Wait until an offset of the log has come; whether it has."""
        deadline = time.monotonic() + within
        while not (self.ledger and self.ledger[-1].offset >= offset):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _run(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._follow()
            self._ending.wait(PAUSE)

    def _follow(self) -> None:
        parts = urlsplit(self._client.url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=SILENCE)
        self._connection = connection
        headers = {"Authorization": f"Bearer {self._client.token}"}
        if self._cursor:
            headers["Last-Event-ID"] = self._cursor
        try:
            connection.request("GET", "/api/v1/events/stream", headers=headers)
            with contextlib.closing(connection.getresponse()) as answer:
                if answer.status == 200:
                    self.connections += 1
                    self._read(answer)
                elif answer.status != 503:
                    self.refusals.append(answer.status)
        finally:
            connection.close()

    def _read(self, answer: http.client.HTTPResponse) -> None:
        """Messages as lines `id:` and `data:`, an empty line after each; a cut one is dropped."""
        fields: dict[str, str] = {}
        while line := answer.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            else:
                self._take(fields)
                fields = {}

    def _take(self, fields: dict[str, str]) -> None:
        if "id" in fields:
            self._cursor = fields["id"]
        if "data" in fields:
            event = json.loads(fields["data"])
            about = event["type"], event["subject"], int(event["sequence"]), event["time"]
            self.ledger.append(Received(fields["id"], event["id"], *about, time.monotonic()))
