"""Filling a new consumer's queue with what the event log still holds of its event types."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

import amqp

from chassis import topology
from deploy.broker import Broker
from deploy.confirms import ConfirmedChannel

PENDING_KEY = "linli-backfill-pending"
"""A queue bound with this key still has to be filled. No event has such a key, for words have no
hyphens. It stands on the broker so that a step that was interrupted is taken up by the next."""
PREFETCH = 200
FIRST_SECONDS = 5.0
QUIET_SECONDS = 0.5
LONGEST_LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 30.0


def backfill(broker: Broker, queue: str, keys: set[str]) -> int:
    """Copy the log's events that match `keys` into `queue`, and return how many.

    The queue is already bound, so an event that arrives meanwhile may come twice; its inbox row
    settles that.
    """
    with broker.connect() as reading, broker.connect() as writing:
        end = end_of_log(reading)
        events = _events(reading, end) if end is not None else iter(())
        wanted = (event for event in events if _matches(event, keys))
        return ConfirmedChannel(writing.channel()).publish_all(queue, map(_copy, wanted))


def read_stream(
    connection: Any, start: str, patience: Callable[[], float]
) -> Generator[amqp.Message, None, None]:
    """The log's events from `start`, for ever; raises TimeoutError when none comes for
    `patience()` seconds.
    """
    received: list[amqp.Message] = []
    with connection.channel() as channel:
        channel.basic_qos(0, PREFETCH, False)
        start_at = {"x-stream-offset": start}
        channel.basic_consume(topology.LOG_STREAM, callback=received.append, arguments=start_at)
        while True:
            while not received:
                connection.drain_events(timeout=patience())
            event = received.pop(0)
            yield event
            channel.basic_ack(event.delivery_tag)


def _matches(event: amqp.Message, keys: set[str]) -> bool:
    key = event.delivery_info["routing_key"]
    return any(topology.key_matches(pattern, key) for pattern in keys)


def _copy(event: amqp.Message) -> amqp.Message:
    properties = dict(event.properties)
    headers = topology.headers_to_carry(properties.pop("application_headers", {}))
    return amqp.Message(event.body, application_headers=headers, **properties)


def end_of_log(connection: Any) -> int | None:
    """The offset of the last event published before this call, or a later one; None for an empty
    log.

    A stream says where it ends only by being read from its last chunk on until nothing more comes.
    On a busy broker something always comes, but after some seconds it is certain to be newer than
    this call.
    """
    end, patience, started = None, FIRST_SECONDS, time.monotonic()
    with closing(read_stream(connection, "last", lambda: patience)) as events:
        try:
            while time.monotonic() < started + LONGEST_LOOK_SECONDS:
                end, patience = _offset(next(events)), QUIET_SECONDS
        except TimeoutError:
            pass
    return end


def _events(connection: Any, end: int) -> Iterator[amqp.Message]:
    """The log's events up to the offset `end`; raises TimeoutError when the broker stops sending
    before.
    """
    with closing(read_stream(connection, "first", lambda: PATIENCE_SECONDS)) as events:
        for event in events:
            if _offset(event) <= end:
                yield event
            if _offset(event) >= end:
                return


def _offset(event: amqp.Message) -> int:
    return int(event.headers["x-stream-offset"])
