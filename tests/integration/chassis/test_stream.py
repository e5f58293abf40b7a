"""Reading the log stream: exact places, a broker that comes and goes, a stream made anew."""

import json
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import amqp
import pytest

from chassis import broker_uri
from chassis.testing import eventually

ROOT = Path(__file__).parents[3]
ARGUMENTS = {"x-queue-type": "stream", "x-stream-max-segment-size-bytes": 1 << 20}


class Stream:
    """A stream of a test's own."""

    def __init__(self, uri):
        self.name = f"s-{uuid.uuid4()}"
        self._uri = uri
        self.declare()

    def channel(self):
        connection = amqp.Connection(**broker_uri.arguments(self._uri), confirm_publish=True)
        connection.connect()
        return connection.channel()

    def declare(self):
        channel = self.channel()
        channel.queue_declare(self.name, durable=True, auto_delete=False, arguments=ARGUMENTS)
        channel.connection.close()

    def delete(self):
        channel = self.channel()
        channel.queue_delete(self.name)
        channel.connection.close()

    def publish(self, *bodies):
        channel = self.channel()
        for body in bodies:
            channel.basic_publish(amqp.Message(body), "", self.name, mandatory=True)
        channel.connection.close()

    def is_there(self):
        """A broker that was killed lets clients in before it has its streams back."""
        channel = self.channel()
        try:
            channel.queue_declare(self.name, passive=True)
        except amqp.NotFound:
            return False
        finally:
            channel.connection.close()
        return True


class Reader:
    """The toy reader; `lines` is all it has told."""

    def __init__(self, uri, stream, start="first", known=None):
        command = [sys.executable, "-W", "ignore", "-m", "tests.integration.chassis.stream_toy"]
        self._out = Path(f"/tmp/{uuid.uuid4()}")  # noqa: S108
        with self._out.open("w") as out:
            self._process = subprocess.Popen(
                [*command, uri, stream.name, str(start), json.dumps(known or {})],
                cwd=ROOT,
                stdout=out,
                stderr=subprocess.DEVNULL,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._out.unlink()

    @property
    def lines(self):
        return [json.loads(line) for line in self._out.read_text().splitlines()]

    @property
    def bodies(self):
        return [line["body"] for line in self.lines if "body" in line]

    @property
    def states(self):
        return [line for line in self.lines if "connected" in line]

    def told(self, *bodies, within=10.0):
        eventually(lambda: len(self.bodies) >= len(bodies), within)
        assert self.bodies == list(bodies)
        return True

    def caught_up(self):
        return eventually(lambda: self.states and self.states[-1]["caught_up"])


@pytest.fixture
def stream(rabbitmq):
    stream = Stream(rabbitmq.amqp_uri)
    yield stream
    stream.delete()


@pytest.fixture
def read(rabbitmq, stream):
    readers = []

    def start(start="first", known=None):
        readers.append(Reader(rabbitmq.amqp_uri, stream, start, known))
        return readers[-1]

    yield start
    for reader in readers:
        reader.__exit__()


def test_it_reads_from_the_first_message_and_goes_on(stream, read):
    stream.publish("a", "b")
    reader = read()

    reader.told("a", "b")
    stream.publish("c")
    reader.told("a", "b", "c")
    assert [line["offset"] for line in reader.lines if "body" in line] == [0, 1, 2]
    assert {line["key"] for line in reader.lines if "body" in line} == {stream.name}


def test_it_begins_at_an_offset_at_a_moment_or_with_what_comes_next(stream, read):
    stream.publish("a", "b", "c")

    read(1).told("b", "c")
    moment = datetime.fromtimestamp(time.time() - 60, UTC)
    read(f"@{moment.isoformat()}").told("a", "b", "c")
    following = read("next")
    following.caught_up()
    stream.publish("d")
    following.told("d")


def test_it_goes_on_after_the_message_it_read_last(stream, read):
    stream.publish(*"abcdef")
    first = read()
    first.told(*"abcdef")
    digests = {line["offset"]: line["digest"] for line in first.lines if "body" in line}

    again = read(known={offset: digests[offset] for offset in range(3)})

    again.told(*"def")
    assert not any("restarted" in line for line in again.lines)


def test_it_reads_more_than_its_prefetch(stream, read):
    numbers = [str(number) for number in range(1000)]
    stream.publish(*numbers)

    read().told(*numbers)


@pytest.mark.parametrize("published", [["x"], ["x", "y", "z", "w", "v"]])
def test_it_notices_that_the_stream_was_made_anew_while_it_was_away(stream, read, published):
    stream.publish("a", "b", "c")
    first = read()
    first.told("a", "b", "c")
    digests = {line["offset"]: line["digest"] for line in first.lines if "body" in line}
    stream.delete()
    stream.declare()
    stream.publish(*published)

    again = read(known=digests)

    again.told(*published)
    assert {"restarted": True} in again.lines


def test_it_notices_that_the_stream_is_made_anew_under_it(stream, read):
    stream.publish("a", "b", "c")
    reader = read()
    reader.told("a", "b", "c")

    stream.delete()
    stream.declare()
    time.sleep(3)
    assert {"restarted": True} not in reader.lines, "an empty stream is no evidence"
    stream.publish("x")

    reader.told("a", "b", "c", "x")
    assert {"restarted": True} in reader.lines


def test_it_outlives_a_broker_that_is_killed(rabbitmq, stream, read):
    stream.publish("a")
    reader = read()
    reader.told("a")
    reader.caught_up()

    rabbitmq.kill()
    eventually(lambda: reader.states[-1]["connected"] is False)
    rabbitmq.start()
    eventually(stream.is_there)
    back = time.monotonic()
    stream.publish("b")

    reader.told("a", "b")
    assert time.monotonic() - back < 5
    assert {"restarted": True} not in reader.lines


def test_it_outlives_a_broker_that_freezes(rabbitmq, stream, read):
    stream.publish("a")
    reader = read()
    reader.told("a")
    reader.caught_up()

    rabbitmq.freeze()
    try:
        eventually(lambda: not reader.states[-1]["connected"], within=25)
    finally:
        rabbitmq.thaw()
    eventually(stream.is_there)
    stream.publish("b")

    reader.told("a", "b", within=5)
    reader.caught_up()
