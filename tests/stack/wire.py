"""The broker as subscribers see it: channels, the log stream read from its beginning, and a
consumer that outlives the broker's absences and keeps a ledger of what it was given.
"""

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import amqp

from chassis import broker_uri, topology

LOST = (OSError, amqp.AMQPError)
PREFETCH = 200


@dataclass(frozen=True)
class Delivered:
    """One message as it came: its body, which key it was routed by, when (`time.monotonic()`)."""

    body: bytes
    routing_key: str
    headers: dict[str, Any]
    at: float

    @property
    def offset(self) -> int:
        """Its place in a stream."""
        return int(self.headers["x-stream-offset"])

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent in it."""
        event: dict[str, Any] = json.loads(self.body)
        return event


@contextlib.contextmanager
def channel(uri: str) -> Iterator[amqp.Channel]:
    """A channel of a connection that is closed at the end."""
    connection = connect(uri)
    try:
        yield connection.channel()
    finally:
        connection.close()


def connect(uri: str) -> amqp.Connection:
    """An open connection; raises one of LOST."""
    connection = amqp.Connection(
        **broker_uri.arguments(uri),
        connect_timeout=3,
        read_timeout=10,
        write_timeout=10,
    )
    try:
        connection.connect()
    except BaseException:
        connection.collect()
        raise
    return connection


def read_log(
    uri: str,
    first: int | str = "first",
    idle: float = 1.0,
    known: int = -1,
    stream: str = topology.LOG_STREAM,
) -> list[Delivered]:
    """Every event of the log stream, or a department's, from an offset on, oldest first; ends when
    `idle` seconds bring no more, but waits longer for an offset that is `known` to be there.
    """
    found: list[Delivered] = []
    with channel(uri) as reading:
        reading.basic_qos(0, PREFETCH, False)

        def take(message: amqp.Message) -> None:
            found.append(delivered(message))
            reading.basic_ack(message.delivery_tag)

        offset = {"x-stream-offset": first}
        reading.basic_consume(stream, callback=take, arguments=offset)
        with contextlib.suppress(TimeoutError):
            while True:
                behind = known >= 0 and (not found or found[-1].offset < known)
                reading.connection.drain_events(timeout=10.0 if behind else idle)
    return found


class Log:
    """The log stream, read a piece at a time."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._next = 0

    def more(self, known: int = -1) -> list[Delivered]:
        """What was added since the last call; somebody else has seen the offset `known`."""
        idle = 0.5 if known >= 0 else 1.0
        # Consuming begins with the chunk that holds the offset.
        read = read_log(self._uri, self._next, idle, known if known >= self._next else -1)
        found = [each for each in read if each.offset >= self._next]
        if found:
            self._next = found[-1].offset + 1
        return found


def depths(uri: str, queues: Sequence[str]) -> dict[str, int]:
    """How many messages are ready in each queue, at this moment."""
    with channel(uri) as asking:
        return {
            name: int(asking.queue_declare(name, passive=True).message_count) for name in queues
        }


def take_all(uri: str, queue: str) -> list[Delivered]:
    """Take what is in a queue."""
    found = []
    with channel(uri) as taking:
        while message := taking.basic_get(queue, no_ack=True):
            found.append(delivered(message))
    return found


def delivered(message: amqp.Message) -> Delivered:
    """A message of py-amqp's as a ledger keeps it."""
    body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
    headers = dict(message.properties.get("application_headers") or {})
    return Delivered(body, message.delivery_info["routing_key"], headers, time.monotonic())


class Subscriber:
    """Consumes one queue in a thread, acknowledging each message once it is in the ledger, and
    comes back whenever the broker does. A context manager.
    """

    def __init__(self, uri: str, queue: str) -> None:
        self.ledger: list[Delivered] = []
        self.connections = 0
        self._uri, self._queue = uri, queue
        self._ending = threading.Event()

    def __enter__(self) -> "Subscriber":
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, name=f"subscriber {self._queue}")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Not connected meanwhile."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def events(self) -> list[dict[str, Any]]:
        """The CloudEvents so far, in the order in which they came."""
        return [each.event for each in list(self.ledger)]

    def _run(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(*LOST):
                self._consume()
            self._ending.wait(0.2)

    def _consume(self) -> None:
        connection = connect(self._uri)
        try:
            reading = connection.channel()
            reading.basic_qos(0, PREFETCH, False)
            reading.basic_consume(self._queue, callback=lambda each: self._keep(reading, each))
            self.connections += 1
            while not self._ending.is_set():
                with contextlib.suppress(TimeoutError):
                    connection.drain_events(timeout=0.2)
        finally:
            connection.collect()

    def _keep(self, reading: amqp.Channel, message: amqp.Message) -> None:
        self.ledger.append(delivered(message))
        reading.basic_ack(message.delivery_tag)
