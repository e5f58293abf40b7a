"""The toy service on a real broker and a real database, and what tests need to look behind it."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import amqp
import pytest
from kombu import Connection
from sqlalchemy import Engine, create_engine, make_url, text

from chassis import migrate, topology
from chassis.consumer import consumers_of
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from chassis.testing.rpc import RpcCaller
from chassis.testing.wire import opened
from tests.toys.echo.service import EchoService

ECHO = "tests.toys.echo.service:EchoService"
QUEUE = "echo.on_note_added"


@dataclass
class Toy:
    """The toy's process and its surroundings."""

    process: ServiceProcess
    engine: Engine
    amqp_uri: str

    def call(self, method: str, *args: Any, within: float = 5.0) -> Any:
        """Call the service; raises what it raises."""
        with RpcCaller(self.amqp_uri) as caller:
            return caller.call("echo", method, *args, within=within)

    def ready(self) -> None:
        """Wait until it answers."""
        eventually(self.answers, within=20)

    def answers(self) -> bool:
        """Whether it answers a call within half a second."""
        # While servers are away this very call may fail in any way it likes.
        with contextlib.suppress(Exception):
            return bool(self.call("echo", 1, within=0.5))
        return False

    @contextlib.contextmanager
    def taking(self, times: int = 1) -> Iterator[None]:
        """What is sent in this block is at hand at its end, in a method that takes its time."""
        before = self.process.log.count('"at_hand"')
        yield
        eventually(lambda: self.process.log.count('"at_hand"') >= before + times, within=20)

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """What a query finds in the toy's database."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), values)]

    def effects(self, subject: str) -> list[int]:
        """The numbers whose events took effect, in order of effect."""
        found = self.rows("SELECT number FROM effects WHERE subject = :s", s=subject)
        return [number for (number,) in found]

    def publish(self, body: bytes | str, **properties: Any) -> None:
        """Put a message into the toy's queue, as a stranger who may."""
        with opened(self.amqp_uri) as channel:
            channel.basic_publish(amqp.Message(body, **properties), "", QUEUE)

    def said(self, name: str, event_id: str) -> list[dict[str, Any]]:
        """The log lines `name` about one event: those of other tests may still be on their way."""
        lines = [json.loads(line) for line in self.process.log.splitlines() if event_id in line]
        return [line for line in lines if line["event"] == name]

    def dead(self, tries: int = 10) -> list[Any]:
        """Take all dead letters out of their queue."""
        found = []
        try:
            with opened(self.amqp_uri) as channel:
                while message := channel.basic_get(topology.dead_queue(QUEUE), no_ack=True):
                    found.append(message)
        except amqp.InternalError:
            # After its broker was killed a quorum queue may be without a leader for some seconds;
            # the broker waits for five of them before it says so.
            if tries == 0:
                raise
            return found + self.dead(tries - 1)
        return found


def event(**changes: Any) -> str:
    """The JSON text of a NoteAdded event with `changes`."""
    envelope = {
        "specversion": "1.0",
        "id": "01a20131-516a-74d8-8529-2fc25eeb1154",
        "type": "linli.echo.note_added.v1",
        "source": "/echo",
        "subject": "somewhere",
        "time": "2026-11-01T08:00:00+08:00",
        "sequence": "0000000001",
        "data": {"number": 1},
    }
    return json.dumps({**envelope, **changes})


CLOUD_EVENT = {"content_type": "application/cloudevents+json; charset=utf-8"}


@pytest.fixture(scope="session")
def echo_environ(rabbitmq: Any, postgres: Any) -> dict[str, str]:
    """Topology and schema of the toy, and the environment that leads there."""
    urls = postgres.create_service_database("echo")
    migrate.upgrade("tests.toys.echo", urls["owner_url"], make_url(urls["app_url"]).username)
    queues = [*topology.shared(), topology.rpc("echo")]
    for name, types in consumers_of(EchoService):
        queues += [topology.consumer(name, types), topology.dead(name)]
    with Connection(rabbitmq.amqp_uri) as connection:
        topology.declare(connection.channel(), queues)
    return {"LINLI_AMQP_URI": rabbitmq.amqp_uri, "LINLI_DATABASE_URL_ECHO": urls["app_url"]}


@pytest.fixture(scope="session")
def echo_process(echo_environ: dict[str, str]) -> Iterator[ServiceProcess]:
    """The toy service, one process for all tests."""
    with ServiceProcess(ECHO, echo_environ) as process:
        yield process


@pytest.fixture(scope="session")
def echo_engine(echo_environ: dict[str, str]) -> Iterator[Engine]:
    """The toy's database as its application sees it."""
    engine = create_engine(echo_environ["LINLI_DATABASE_URL_ECHO"], pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture
def echo(echo_process: ServiceProcess, echo_engine: Engine, echo_environ: dict[str, str]) -> Toy:
    """The toy service, ready; a test may end it."""
    if not echo_process.running:
        echo_process.start()
    toy = Toy(echo_process, echo_engine, echo_environ["LINLI_AMQP_URI"])
    toy.ready()
    return toy
