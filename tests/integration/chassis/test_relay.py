"""The outbox and its relay: what is committed is published, in order, and nothing else."""

import json
import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis import outbox, relay, topology
from chassis.call import Call, system_call
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from chassis.testing.wire import opened
from tests.integration.chassis.conftest import ECHO, Toy
from tests.toys.echo.service import add_event


class Wiretap:
    """A queue bound to everything, and what came out of it so far."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._queue = channel.queue_declare("", exclusive=True).queue
        channel.queue_bind(self._queue, topology.EVENTS_EXCHANGE, "#")
        self.seen: list[Any] = []

    def about(self, subject: str) -> list[Any]:
        """The messages so far of one subject."""
        while message := self._channel.basic_get(self._queue, no_ack=True):
            self.seen.append(message)
        return [found for found in self.seen if json.loads(found.body)["subject"] == subject]


@pytest.fixture
def wiretap(echo: Toy) -> Iterator[Wiretap]:
    with opened(echo.amqp_uri) as channel:
        yield Wiretap(channel)


def test_a_committed_event_is_published_as_a_cloudevent(echo: Toy, wiretap: Wiretap) -> None:
    subject = str(uuid4())

    echo.call("add", subject, 3)

    (message,) = eventually(lambda: wiretap.about(subject))
    headers = {"content-type": message.properties["content_type"]}
    seen = from_structured_event(HTTPMessage(headers, message.body.encode()))
    assert seen.get_type() == "linli.echo.note_added.v1"
    assert seen.get_subject() == subject
    assert seen.get_data() == {"number": 3}
    assert seen.get_extension("sequence") == "0000000003"
    assert message.delivery_info["routing_key"] == "note.added.v1.water.340603.008"
    assert message.headers["CC"] == ["note.added.v1.roads.340603.008"]


def test_an_event_that_was_rolled_back_is_not_published(echo: Toy, wiretap: Wiretap) -> None:
    lost, kept = str(uuid4()), str(uuid4())
    with _session(echo) as session:
        add_event(session, system_call("echo"), lost, 1)
        session.rollback()

    echo.call("add", kept, 1)

    eventually(lambda: wiretap.about(kept))
    assert wiretap.about(lost) == []


def test_the_events_of_one_subject_keep_their_order(echo: Toy, wiretap: Wiretap) -> None:
    subjects = [str(uuid4()) for _ in range(5)]
    with _session(echo) as session, session.begin():
        for number in range(1, 61):
            for subject in subjects:
                add_event(session, Call(), subject, number)

    eventually(lambda: all(len(wiretap.about(subject)) == 60 for subject in subjects))
    order: dict[str, list[int]] = defaultdict(list)
    for message in wiretap.seen:
        wire = json.loads(message.body)
        order[wire["subject"]].append(wire["data"]["number"])
    assert all(order[subject] == list(range(1, 61)) for subject in subjects)


def test_a_relay_killed_between_publishing_and_deleting_repeats_the_same_event(
    echo: Toy, wiretap: Wiretap
) -> None:
    subject = str(uuid4())
    echo.process.stop()
    echo.process.start(LINLI_FAULT="relay.published")
    echo.ready()

    echo.call("add", subject, 4)
    eventually(lambda: len(wiretap.about(subject)) >= 2)
    echo.process.stop()
    echo.process.start()
    echo.ready()

    eventually(lambda: echo.rows("SELECT count(*) FROM outbox") == [(0,)])
    ids = {json.loads(message.body)["id"] for message in wiretap.about(subject)}
    assert len(ids) == 1
    eventually(lambda: echo.effects(subject) == [4])


def test_a_service_killed_between_commit_and_publish_publishes_after_its_restart(
    echo: Toy, wiretap: Wiretap
) -> None:
    subject = str(uuid4())
    echo.process.kill()
    with _session(echo) as session, session.begin():
        add_event(session, Call(), subject, 5)

    echo.process.start()

    eventually(lambda: wiretap.about(subject))
    eventually(lambda: echo.effects(subject) == [5])


def test_an_event_that_no_queue_would_take_stays_in_the_outbox(echo: Toy) -> None:
    """Confirmed and routed nowhere would be lost: the log stream is bound to everything, or nothing
    leaves.
    """
    subject = str(uuid4())
    with opened(echo.amqp_uri) as channel:
        channel.queue_unbind(topology.LOG_STREAM, topology.EVENTS_EXCHANGE, "#")
        channel.queue_unbind("echo.on_note_added", topology.EVENTS_EXCHANGE, "note.added.v1.#")
        try:
            echo.call("add", subject, 6)
            eventually(lambda: "relay_refused" in echo.process.log)
            assert echo.rows("SELECT count(*) FROM outbox") == [(1,)]
        finally:
            channel.queue_bind(topology.LOG_STREAM, topology.EVENTS_EXCHANGE, "#")
            channel.queue_bind("echo.on_note_added", topology.EVENTS_EXCHANGE, "note.added.v1.#")

    eventually(lambda: echo.effects(subject) == [6])
    eventually(lambda: echo.rows("SELECT count(*) FROM outbox") == [(0,)])


def test_only_one_relay_of_a_service_is_active(echo: Toy, echo_environ: dict[str, str]) -> None:
    with ServiceProcess(ECHO, echo_environ) as second:
        eventually(lambda: "relay_started" in second.log)
        assert "relay_active" not in second.log

        echo.process.kill()

        eventually(lambda: "relay_active" in second.log, within=5)


def test_what_came_before_a_refused_event_is_published_once(echo: Toy, wiretap: Wiretap) -> None:
    """Only the refused one and what follows it, which must not overtake it, are tried again."""
    before, refused, after = (str(uuid4()) for _ in range(3))
    with opened(echo.amqp_uri) as channel:
        # A queue that takes one event of its kind and refuses the next.
        channel.queue_declare("full", arguments={"x-max-length": 0, "x-overflow": "reject-publish"})
        channel.queue_bind("full", topology.EVENTS_EXCHANGE, "note.added.v1.full.#")
        try:
            with _session(echo) as session, session.begin():
                for number in range(1, 11):
                    add_event(session, Call(), before, number)
                add_event(session, Call(), refused, 1, addressee="full")
                add_event(session, Call(), after, 1)
            eventually(lambda: echo.process.log.count("relay_refused") >= 3)
            assert echo.rows("SELECT count(*) FROM outbox") == [(2,)]
        finally:
            channel.queue_delete("full")

    eventually(lambda: echo.rows("SELECT count(*) FROM outbox") == [(0,)])
    assert len(wiretap.about(before)) == 10
    assert wiretap.about(refused)


def test_a_wake_up_that_came_with_an_answer_is_not_slept_over(postgres: Any) -> None:
    listener, other = (psycopg2.connect(postgres.url().replace("+psycopg2", "")) for _ in "12")
    listener.autocommit = other.autocommit = True
    try:
        cursor = listener.cursor()
        cursor.execute("LISTEN woken")
        other.cursor().execute("NOTIFY woken")
        time.sleep(0.1)
        cursor.execute("SELECT 1")

        started = time.monotonic()
        relay._wait(listener)

        assert time.monotonic() - started < 0.1
    finally:
        listener.close()
        other.close()


def test_a_frozen_relay_is_replaced_and_publishes_nothing_when_it_wakes(
    echo: Toy, echo_environ: dict[str, str], wiretap: Wiretap
) -> None:
    """It is frozen between two rows of a batch, of which it holds the rest in its hands."""
    subject = str(uuid4())
    echo.process.stop()
    with _session(echo) as session, session.begin():
        for number in range(1, 6):
            add_event(session, Call(), subject, number)
    with ServiceProcess(ECHO, {**echo_environ, "LINLI_FAULT": "relay.sending@3/freeze"}) as first:
        eventually(lambda: len(wiretap.about(subject)) == 2, within=20)
        (frozen,) = _children(first.pid)
        eventually(lambda: _state(frozen) == "T")
        with ServiceProcess(ECHO, echo_environ) as second:
            eventually(lambda: "relay_active" in second.log, within=20)
            _add(echo, subject, 6)
            eventually(lambda: _numbers(wiretap, subject)[2:] == [1, 2, 3, 4, 5, 6])

            os.kill(frozen, signal.SIGCONT)

            eventually(lambda: "relay_without_database" in first.log)
            _add(echo, subject, 7)
            eventually(lambda: echo.rows("SELECT count(*) FROM outbox") == [(0,)])
            assert _numbers(wiretap, subject) == [1, 2, 1, 2, 3, 4, 5, 6, 7]
    echo.process.start()
    echo.ready()


def test_a_relay_that_waits_for_a_frozen_broker_keeps_its_turn(
    echo: Toy, echo_environ: dict[str, str], rabbitmq: Any
) -> None:
    """Nobody else could publish either: passing the turn around would be noise."""
    subject = str(uuid4())
    with ServiceProcess(ECHO, echo_environ) as second:
        eventually(lambda: "relay_started" in second.log)
        _add(echo, str(uuid4()), 1)
        eventually(lambda: echo.rows("SELECT count(*) FROM outbox") == [(0,)])
        before = echo.process.log.count("relay_active")
        rabbitmq.freeze()
        try:
            _add(echo, subject, 1)
            eventually(lambda: "relay_blocked" in echo.process.log, within=20)
        finally:
            rabbitmq.thaw()
        eventually(lambda: echo.effects(subject) == [1], within=20)
        assert "relay_active" not in second.log
        assert echo.process.log.count("relay_active") == before


@pytest.mark.parametrize(
    "too_large", [{"routing_key": "x" * 256}, {"body": "x" * 300_000}, {"cc": ["x" * 200] * 30}]
)
def test_an_event_that_could_never_be_published_is_not_stored(
    echo: Toy, too_large: dict[str, Any]
) -> None:
    row = {"event_id": str(uuid4()), "routing_key": "k", "cc": [], "body": "{}", "traceparent": ""}

    with _session(echo) as session, pytest.raises(IntegrityError, match="fits"):
        outbox.add(session, **{**row, **too_large})


def _children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


def _numbers(wiretap: Wiretap, subject: str) -> list[int]:
    return [json.loads(message.body)["data"]["number"] for message in wiretap.about(subject)]


def _add(echo: Toy, subject: str, number: int) -> None:
    with _session(echo) as session, session.begin():
        add_event(session, Call(), subject, number)


def _session(echo: Toy) -> Session:
    return Session(echo.engine)
