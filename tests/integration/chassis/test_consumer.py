"""Consuming events: once each, nothing lost, and a reason for whatever could not be consumed."""

import time
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection

from chassis import topology
from chassis.testing import eventually
from chassis.testing.wire import opened
from tests.integration.chassis.conftest import CLOUD_EVENT, QUEUE, Toy, event


def test_an_event_takes_effect(echo: Toy) -> None:
    subject = str(uuid4())

    echo.call("add", subject, 7)

    eventually(lambda: echo.effects(subject) == [7])


def test_an_event_delivered_a_hundred_times_takes_effect_once(echo: Toy) -> None:
    subject = str(uuid4())
    body = event(id=str(uuid4()), subject=subject)

    for _ in range(100):
        echo.publish(body, **CLOUD_EVENT)
    _drained(echo)

    assert echo.effects(subject) == [1]


@pytest.mark.parametrize(
    ("body", "properties", "reason"),
    [
        (b"\xff\xfe", CLOUD_EVENT, "undecodable"),
        ("{", CLOUD_EVENT, "undecodable"),
        ("[]", CLOUD_EVENT, "undecodable"),
        (event(specversion="0.3"), CLOUD_EVENT, "undecodable"),
        (event(sequence="many"), CLOUD_EVENT, "undecodable"),
        (event(time="yesterday"), CLOUD_EVENT, "undecodable"),
        (event(data="text"), CLOUD_EVENT, "undecodable"),
        (event(type="linli.echo.note_lost.v1"), CLOUD_EVENT, "unknown_type"),
        (event(), {"content_type": "text/plain"}, "content_type"),
        (event(), {}, "content_type"),
        ("x" * 10_000_000, CLOUD_EVENT, "too_large"),
        (event(data={"number": -1}), CLOUD_EVENT, "never"),
    ],
    ids=[
        "bytes", "broken JSON", "no object", "version", "sequence", "time", "data", "type",
        "content type", "no content type", "ten megabytes", "permanent error",
    ],
)  # fmt: skip
def test_what_cannot_be_consumed_is_kept_with_its_reason(
    echo: Toy, body: Any, properties: dict[str, Any], reason: str
) -> None:
    _drained(echo)
    echo.dead()

    echo.publish(body, **properties)

    (letter,) = eventually(echo.dead)
    assert letter.headers[topology.REASON_HEADER] == reason
    assert letter.body == body
    assert echo.process.running


def test_an_event_that_fails_is_tried_again_and_counted(echo: Toy) -> None:
    subject, event_id = str(uuid4()), str(uuid4())

    echo.publish(event(id=event_id, subject=subject, data={"number": -2}), **CLOUD_EVENT)

    eventually(lambda: len(echo.said("event_retried", event_id)) == 2)
    assert [line["attempts"] for line in echo.said("event_retried", event_id)] == [1, 2]
    assert echo.effects(subject) == []


def test_an_event_that_goes_on_failing_ends_among_the_dead_letters(echo: Toy) -> None:
    echo.dead()
    last = {topology.ATTEMPTS_HEADER: len(topology.RETRY_DELAYS_MS)}

    echo.publish(event(data={"number": -3}), **CLOUD_EVENT, application_headers=last)

    (letter,) = eventually(echo.dead)
    assert letter.headers[topology.REASON_HEADER] == "KeyError"
    assert letter.headers[topology.ATTEMPTS_HEADER] == len(topology.RETRY_DELAYS_MS) + 1


def test_an_event_that_failed_reaches_no_other_queue_when_it_returns(echo: Toy) -> None:
    """The retry keeps the message but not its CC, by which it would be routed a second time."""
    with Connection(echo.amqp_uri) as connection, opened(echo.amqp_uri) as channel:
        roads = topology.subscriber("roads", "note")
        topology.declare(connection.channel(), roads[:1])
        channel.queue_purge("roads.events")

        echo.call("add", str(uuid4()), -2)
        eventually(lambda: channel.basic_get("roads.events", no_ack=True))
        time.sleep(1.5)

        assert channel.basic_get("roads.events", no_ack=True) is None
        channel.queue_delete("roads.events")


def test_while_the_database_is_away_an_event_waits_uncounted(echo: Toy, postgres: Any) -> None:
    subject, event_id = str(uuid4()), str(uuid4())
    body = event(id=event_id, subject=subject)
    echo.dead()

    postgres.stop()
    try:
        for _ in range(3):
            echo.publish(body, **CLOUD_EVENT)
        eventually(lambda: echo.said("event_held", event_id))
        time.sleep(2)
    finally:
        postgres.start()

    eventually(lambda: echo.effects(subject) == [1], within=5)
    assert echo.dead() == []
    assert echo.said("event_retried", event_id) == []


def test_a_process_killed_between_effect_and_acknowledgement_does_it_once(echo: Toy) -> None:
    subject = str(uuid4())
    echo.process.stop()
    with opened(echo.amqp_uri) as channel:
        # It would end over what another test left behind.
        channel.queue_purge(QUEUE)
    echo.process.start(LINLI_FAULT="consumer.handled")

    echo.publish(event(id=str(uuid4()), subject=subject), **CLOUD_EVENT)
    assert echo.process.wait(10) == -9
    assert echo.effects(subject) == [1]
    echo.process.start()
    echo.ready()
    _drained(echo)

    assert echo.effects(subject) == [1]


def test_a_process_killed_before_the_commit_does_it_after_all(echo: Toy) -> None:
    subject = str(uuid4())
    with echo.taking():
        echo.publish(event(id=str(uuid4()), subject=subject, data={"number": -5}), **CLOUD_EVENT)

    echo.process.kill()
    assert echo.effects(subject) == []
    echo.process.start()

    eventually(lambda: echo.effects(subject) == [-5], within=20)


def test_consumers_that_die_with_a_message_in_hand_do_not_count_as_its_failures(echo: Toy) -> None:
    subject = str(uuid4())
    _drained(echo)
    echo.dead()
    with echo.taking():
        echo.publish(event(id=str(uuid4()), subject=subject, data={"number": -5}), **CLOUD_EVENT)

    for _ in range(4):
        echo.process.kill()
        with echo.taking():
            echo.process.start()
    echo.ready()

    eventually(lambda: echo.effects(subject) == [-5], within=20)
    assert echo.dead() == []


def _drained(echo: Toy) -> None:
    """Nothing is left in the queue, unacknowledged messages included."""
    with opened(echo.amqp_uri) as channel:
        eventually(lambda: channel.queue_declare(QUEUE, passive=True).message_count == 0, within=20)
