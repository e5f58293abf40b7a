"""What the tests of the bus say on the wire."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import amqp
from kombu import Connection

from chassis.testing import eventually

AREA_ADDED = "linli.residents.area_added.v1"
AREA_RENAMED = "linli.residents.area_renamed.v1"
CONSUMER = "tickets.on_area_changed"


@contextmanager
def channel_of(uri: str) -> Iterator[Any]:
    """A channel on a connection of its own, both closed afterwards."""
    with Connection(uri, connect_timeout=5) as connection:
        yield connection.channel()


def event(event_type: str = "linli.tickets.ticket_filed.v1", **changes: Any) -> dict[str, Any]:
    """A complete event."""
    return {
        "specversion": "1.0",
        "id": secrets.token_hex(8),
        "type": event_type,
        "source": "/tickets",
        "subject": "0197a1b2-0000-7000-8000-000000000001",
        "time": "2026-03-01T09:00:00+08:00",
        "datacontenttype": "application/json",
        "dataschema": f"urn:linli:schema:{event_type}",
        "partitionkey": "0197a1b2-0000-7000-8000-000000000001",
        "sequence": "0000000001",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "data": {"number": "20260301-000001", "state": "filed"},
        **changes,
    }


def message(body: Any, **headers: Any) -> amqp.Message:
    """The event as the relay sends it."""
    return amqp.Message(
        json.dumps(body),
        content_type="application/cloudevents+json; charset=utf-8",
        delivery_mode=2,
        application_headers=headers,
    )


def publish(channel: Any, body: Any, key: str, exchange: str = "linli.events", **headers: Any):
    """Publish and wait until the broker has dealt with it."""
    channel.confirm_select()
    confirmed: list[int] = []
    channel.events["basic_ack"].add(lambda tag, _multiple: confirmed.append(tag))
    channel.basic_publish(message(body, **headers), exchange, key)
    while not confirmed:
        channel.connection.drain_events(timeout=10)


def take(channel: Any, queue: str) -> amqp.Message:
    """The next message, acknowledged, as soon as there is one."""
    taken: amqp.Message = eventually(lambda: channel.basic_get(queue, no_ack=True))
    return taken


def ids(channel: Any, queue: str) -> list[str]:
    """The ids of the events now in the queue, which is emptied."""
    found = []
    while letter := channel.basic_get(queue, no_ack=True):
        found.append(json.loads(letter.body)["id"])
    return found


def count(channel: Any, queue: str) -> int:
    """How many messages are ready in the queue."""
    return int(channel.queue_declare(queue, passive=True).message_count)
