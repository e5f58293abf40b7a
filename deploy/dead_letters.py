"""What consumers could not handle: looking at it, sending it back to the queue it came from, and
throwing it away.
"""

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import amqp

from chassis import topology
from deploy.broker import Broker
from deploy.confirms import WINDOW, ConfirmedChannel

OWN_HEADERS = {
    topology.ATTEMPTS_HEADER,
    topology.REASON_HEADER,
    topology.DETAIL_HEADER,
    topology.DIED_AT_HEADER,
}
SHOWN_BYTES = 400
"""Of a body that is no event; a poisoned one may be megabytes."""


class UnknownQueue(Exception):
    """There is no consumer's queue of this name."""


@dataclass(frozen=True)
class DeadLetter:
    """One message among the dead letters of `queue`, and why it is there."""

    id: str
    queue: str
    reason: str
    detail: str | None
    died_at: str | None
    attempts: int
    event: Any
    """The CloudEvent, or the beginning of a body that is none, as text."""


def counts(broker: Broker) -> dict[str, int]:
    """How many dead letters each consumer's queue has."""
    with broker.connect() as connection:
        channel = connection.channel()
        return {name: _count(channel, topology.dead_queue(name)) for name in _consumers(broker)}


def letters(broker: Broker, queue: str, limit: int) -> list[DeadLetter]:
    """The oldest `limit` dead letters of `queue`; they stay where they are. Raises
    UnknownQueue.
    """
    _check(broker, queue)
    with broker.connect() as connection, connection.channel() as channel:
        # Closing the channel gives back, in their order, the messages that were not acknowledged.
        taken = _take(channel, topology.dead_queue(queue))
        return [_describe(queue, message) for _, message in zip(range(limit), taken, strict=False)]


def replay(broker: Broker, queue: str, ids: Collection[str] | None = None) -> int:
    """Move dead letters back into `queue`, all or those with these ids, and return how many.

    Each is stored in `queue` before it leaves the dead letters: if this is interrupted, one may
    arrive twice, which its inbox row settles. Attempts start at zero. Only what is there at the
    start is moved, so a letter that dies again is not sent round in a circle. Raises UnknownQueue,
    NotStored.
    """
    _check(broker, queue)
    with broker.connect() as connection, connection.channel() as channel:
        publishing = ConfirmedChannel(connection.channel())
        taken = _take(channel, topology.dead_queue(queue))
        wanted = (message for message in taken if ids is None or _id(message) in ids)
        moved = 0
        while window := list(islice(wanted, WINDOW)):
            moved += publishing.publish_all(queue, map(_fresh, window))
            for message in window:
                channel.basic_ack(message.delivery_tag)
        return moved


def drop(broker: Broker, queue: str, ids: Collection[str] | None = None) -> Iterator[DeadLetter]:
    """Throw dead letters away, all or those with these ids, one with each step of the iterator.

    A letter leaves the broker when the caller comes back for the next, so that it has been told
    first; the channel is closed, and with it the rest given back, however this ends. Only what is
    there at the start is looked at. Raises UnknownQueue.
    """
    _check(broker, queue)
    with broker.connect() as connection, connection.channel() as channel:
        for message in _take(channel, topology.dead_queue(queue)):
            if ids is None or _id(message) in ids:
                yield _describe(queue, message)
                channel.basic_ack(message.delivery_tag)


def _consumers(broker: Broker) -> list[str]:
    """The queues whose rejects go to dead letters of their own through the default exchange, which
    departments cannot imitate: they may not write to it.
    """
    queues = broker.snapshot().queues
    return sorted(
        name
        for name, queue in queues.items()
        if queue["arguments"].get("x-dead-letter-exchange") == ""
        and queue["arguments"].get("x-dead-letter-routing-key") == topology.dead_queue(name)
        and topology.dead_queue(name) in queues
    )


def _check(broker: Broker, queue: str) -> None:
    if queue not in _consumers(broker):
        raise UnknownQueue(f"{queue}: {UnknownQueue.__doc__}")


def _count(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def _take(channel: Any, queue: str) -> Iterator[amqp.Message]:
    """The messages now in the queue, oldest first, unacknowledged."""
    for _ in range(_count(channel, queue)):
        if (message := channel.basic_get(queue)) is None:
            return
        yield message


def _describe(queue: str, message: amqp.Message) -> DeadLetter:
    headers = message.headers or {}
    return DeadLetter(
        id=_id(message),
        queue=queue,
        reason=headers.get(topology.REASON_HEADER)
        or headers.get("x-first-death-reason", "unknown"),
        detail=headers.get(topology.DETAIL_HEADER),
        died_at=headers.get(topology.DIED_AT_HEADER),
        attempts=int(headers.get(topology.ATTEMPTS_HEADER, 0)),
        event=_event(message) or _beginning(message),
    )


def _id(message: amqp.Message) -> str:
    """The event's id; a body that is no event is known by its digest."""
    event = _event(message)
    return event["id"] if event else hashlib.sha256(_bytes(message)).hexdigest()[:16]


def _event(message: amqp.Message) -> dict[str, Any] | None:
    try:
        event = json.loads(_bytes(message))
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("id"), str) else None


def _beginning(message: amqp.Message) -> str:
    return _bytes(message)[:SHOWN_BYTES].decode(errors="replace")


def _bytes(message: amqp.Message) -> bytes:
    return message.body.encode() if isinstance(message.body, str) else bytes(message.body)


def _fresh(message: amqp.Message) -> amqp.Message:
    """A copy without a past: no attempts, no reason, and nothing the broker would take for a
    dead-letter cycle.
    """
    properties = dict(message.properties)
    headers = topology.headers_to_carry(properties.pop("application_headers", {}))
    kept = {name: value for name, value in headers.items() if name not in OWN_HEADERS}
    return amqp.Message(message.body, application_headers=kept, **properties)
