"""What a department's broker user may do, on a real broker."""

import json
import secrets

import pytest

from chassis.testing import eventually
from deploy import permissions
from tests.integration.bus.wire import channel_of, count, event, ids, publish, take


@pytest.fixture
def water(code, granted):
    """Water's channel; `code` is its code."""
    with channel_of(granted(code)) as channel:
        yield channel


def test_it_reads_the_events_of_its_tickets_and_nobody_elses(water, code, channel):
    own = event()
    publish(channel, event(), "ticket.filed.v1.roads.340603")
    publish(channel, event(), "ticket.filed.v1.none.340603")
    publish(channel, event("linli.residents.area_added.v1"), f"area.added.v1.{code}.340603")
    publish(channel, own, f"ticket.filed.v1.{code}.340603.008.002.e1.g2")

    taken = take(water, f"{code}.events")

    assert json.loads(taken.body) == own
    assert taken.content_type == "application/cloudevents+json; charset=utf-8"
    assert count(water, f"{code}.events") == 0


def test_it_hears_of_a_ticket_that_another_department_gains(water, code, channel):
    lost = event()
    publish(
        channel, lost, "ticket.assigned.v1.roads.340603", CC=[f"ticket.assigned.v1.{code}.340603"]
    )

    assert json.loads(take(water, f"{code}.events").body) == lost


def test_two_departments_concerned_get_one_copy_each(granted, channel):
    codes = [f"d{secrets.token_hex(3)}" for _ in range(3)]
    for each in codes:
        granted(each)
    gains, loses, neither = codes
    both = event()

    publish(
        channel,
        both,
        f"ticket.assigned.v1.{gains}.340603.008",
        # Its own key again, as when a department is addressee and called up at once.
        CC=[f"ticket.assigned.v1.{loses}.340603.008", f"ticket.assigned.v1.{gains}.340603.008"],
    )

    eventually(lambda: count(channel, f"{loses}.events") == 1)
    assert ids(channel, f"{gains}.events") == [both["id"]]
    assert ids(channel, f"{loses}.events") == [both["id"]]
    assert ids(channel, f"{neither}.events") == []


def test_it_narrows_what_a_further_queue_gets(water, code, broker, channel):
    queue = permissions.add_queue(broker, code, "resolved")
    assert permissions.add_queue(broker, code, "resolved") == queue
    water.queue_bind(queue, "linli.events", f"ticket.resolved.v1.{code}.340603.#")
    publish(channel, event(), f"ticket.filed.v1.{code}.340603")
    wanted = event()
    publish(channel, wanted, f"ticket.resolved.v1.{code}.340603.008")

    assert json.loads(take(water, queue).body)["id"] == wanted["id"]
    assert count(water, queue) == 0


def test_it_reads_its_log_again_from_the_first_event(water, code, channel):
    sent = [event(sequence=f"{number:010d}") for number in range(3)]
    for each in sent:
        publish(channel, each, f"ticket.commented.v1.{code}.340603")

    for _ in range(2):
        received = read_log(water, f"{code}.log", len(sent))
        assert [each["id"] for each in received] == [each["id"] for each in sent]


def test_it_empties_its_own_queues(water, code, channel):
    publish(channel, event(), f"ticket.filed.v1.{code}.340603")
    eventually(lambda: count(water, f"{code}.events") == 1)

    water.queue_purge(f"{code}.events")

    assert count(water, f"{code}.events") == 0


def read_log(channel, stream, expected):
    received = []
    with channel.connection.channel() as reading:
        reading.basic_qos(0, 100, False)
        reading.basic_consume(
            stream, callback=received.append, arguments={"x-stream-offset": "first"}
        )
        while len(received) < expected:
            reading.connection.drain_events(timeout=10)
    return [json.loads(each.body) for each in received]
