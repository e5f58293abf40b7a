"""Messages as no service of ours sends them: poison, everything again and again, late and out of
order.
"""

import json
import random
import uuid

import amqp
import pytest

from chassis import topology
from chassis.events import CONTENT_TYPE
from chassis.testing import eventually
from deploy.databases import SERVICES
from tests.stack.wire import channel, depths, take_all

pytestmark = [pytest.mark.slice, pytest.mark.timeout(300)]
QUEUE = "notifications.on_ticket_filed"
MEGABYTE = 1024 * 1024


def put(stack, queue, body, **properties):
    """Put a message into a queue, as somebody who may."""
    properties = {"content_type": CONTENT_TYPE, "delivery_mode": 2, **properties}
    with channel(stack.rabbitmq.amqp_uri) as putting:
        putting.basic_publish(amqp.Message(body, **properties), "", queue)


def envelope(**changes):
    """An event of the type that QUEUE is for, with the data of another."""
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "type": "linli.tickets.ticket_filed.v1",
        "source": "/tickets",
        "subject": str(uuid.uuid4()),
        "time": "2026-11-01T08:00:00+08:00",
        "sequence": "0000000001",
        "data": {"number": "20261101-000001"},
    }
    return json.dumps({**event, **changes})


POISON = {
    "undecodable": (b"{", {}),
    "wrong_schema": (envelope(), {}),
    "unknown_type": (envelope(type="linli.tickets.ticket_eaten.v1"), {}),
    "content_type": (envelope(), {"content_type": "text/plain"}),
    "too_large": (envelope(data={"x": "x" * 10 * MEGABYTE}), {}),
}


CALLS = [
    (b'{"args": [], "kwargs": {}}', {"content_type": "application/json"}),  # nowhere to answer
    (b'{"args": [], "kwargs": {}}', {"reply_to": "nobody", "correlation_id": "1"}),  # of no type
    (b"{", {"content_type": "application/json", "reply_to": "amq.rabbitmq.reply-to.gone"}),
    (b"[]", {"content_type": "text/plain"}),
]


def test_poison_dies_with_its_reason_and_harms_nobody(drill):
    stack = drill.stack
    with drill.load():
        drill.wait_for(answers=10)
        for body, properties in POISON.values():
            put(stack, QUEUE, body, **properties)
        drill.wait_for(answers=20)

    drill.verify(poison={topology.dead_queue(QUEUE): len(POISON)})
    # What nobody mended dies of the same again.
    stack.linli("dead-letters", "replay", QUEUE, "--all", "--yes")
    eventually(lambda: depth(stack, topology.dead_queue(QUEUE)) == len(POISON))
    dead = take_all(stack.rabbitmq.amqp_uri, topology.dead_queue(QUEUE))
    assert {each.headers[topology.REASON_HEADER] for each in dead} == set(POISON)


def test_calls_that_nobody_can_answer_end_no_service(drill):
    stack = drill.stack
    pids = {name: stack.pid(name) for name in SERVICES}
    with drill.load():
        drill.wait_for(answers=10)
        with channel(stack.rabbitmq.amqp_uri) as calling:
            for name in ("tickets", "residents", "notifications"):
                for body, properties in CALLS:
                    message = amqp.Message(body, **properties)
                    calling.basic_publish(message, topology.RPC_EXCHANGE, f"{name}.list_tickets")
        drill.wait_for(answers=20)

    drill.verify()
    assert {name: stack.pid(name) for name in SERVICES} == pids


def test_every_event_again_and_again_and_out_of_order_changes_nothing(drill, chance):
    stack = drill.stack
    with drill.load(stories=12) as load:
        load.join()
    first = drill.verify()
    types = {seen.id: seen.type for seen in first.wire}
    again = [
        each
        for each in drill.wire
        if each.event["id"] in types
        for _ in range(100 if chance.random() < 0.1 else chance.randint(1, 5))
    ]
    chance.shuffle(again)

    with channel(stack.rabbitmq.amqp_uri) as putting:
        for each in again:
            queue = f"notifications.on_{types[each.event['id']].split('.')[2]}"
            message = amqp.Message(each.body, content_type=CONTENT_TYPE, delivery_mode=2)
            putting.basic_publish(message, "", queue)
    second = drill.verify()

    assert sorted(second.told, key=str) == sorted(first.told, key=str)
    assert second.progress == first.progress


def test_an_older_event_never_overwrites_a_newer(drill):
    """The older one comes late and as another message, so no inbox knows it."""
    stack, code = drill.stack, "340603008002.e1.g1.b1.u2"
    administrator = stack.community.staff("administrator")
    names = [f"name {random.randrange(10**6)}" for _ in range(3)]
    for name in names:
        answer = administrator.request("PATCH", f"areas/{code}", json={"name": name})
        assert answer.status_code == 200, answer.text
    eventually(lambda: kept(stack, code) == names[-1])
    eventually(lambda: len(told_of(drill, code)) == len(names))

    late = [{**event, "id": str(uuid.uuid4())} for event in told_of(drill, code)[:-1]]
    for event in late:
        put(stack, "tickets.on_area_changed", json.dumps(event))
    handled = "SELECT count(*) FROM inbox WHERE event_id::text = ANY(:ids)"
    ids = [event["id"] for event in late]
    eventually(lambda: stack.value("tickets", handled, ids=ids) == len(late))

    assert kept(stack, code) == names[-1]
    administrator.close()


def told_of(drill, subject):
    """The events about something that are in the log since the drill began."""
    drill.more()
    return [each.event for each in drill.wire if each.event["subject"] == subject]


def depth(stack, queue):
    """How much is in a queue."""
    return depths(stack.rabbitmq.amqp_uri, [queue])[queue]


def kept(stack, code):
    """What tickets calls a place."""
    return stack.value("tickets", "SELECT name FROM areas WHERE code = :code", code=code)
