"""Publishing what the outbox holds: pipelined, confirmed, in order. Runs without eventlet, in the
relay's process.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import amqp

from chassis import broker_uri, events, faultpoints, logs, metrics, topology, trace
from chassis.turns import SURE

log = logs.get("relay")

LOST = (OSError, amqp.AMQPError)
"""What `Publisher` raises when the broker is gone; NotFound, of a log that is not there, is one."""

# Seconds.
_CONFIRM_LIMIT, _WRITE_LIMIT = 10.0, 5.0


@dataclass(frozen=True)
class Row:
    """One message of the outbox."""

    id: int
    event_id: str
    routing_key: str
    cc: Sequence[str]
    body: str
    traceparent: str


class Publisher:
    """Publishes batches to the events exchange and waits until all are confirmed."""

    def __init__(self, uri: str) -> None:
        self._connection = amqp.Connection(
            **broker_uri.arguments(uri),
            # Shorter than a turn lasts in silence.
            connect_timeout=2,
            read_timeout=_CONFIRM_LIMIT,
            write_timeout=_WRITE_LIMIT,
        )
        self._tags = itertools.count(1)
        self._unconfirmed: set[int] = set()
        # Delivery tags and message ids.
        self._refused: set[int | str] = set()
        try:
            self._connection.connect()
            self._channel = self._open_channel()
        except BaseException:
            self.close()
            raise

    def _open_channel(self) -> amqp.Channel:
        channel = self._connection.channel()
        # A broker that was killed lets clients in a second before it has its streams back, and
        # would route past the log meanwhile. (NotFound is one of LOST.)
        channel.queue_declare(topology.LOG_STREAM, passive=True)
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)
        return channel

    def publish(self, rows: Sequence[Row], make_sure: Callable[[], None]) -> int:
        """Publish in the given order; how many rows, from the first on, the broker has stored.

        What it stored beyond the first that it refused counts as not stored, for the order's sake.
        Before each row, and while it waits, it calls `make_sure`, which raises when another has
        begun to publish them; so one that was frozen sends no more than the row it was writing.
        Raises one of LOST, and what `make_sure` raises.
        """
        with ExitStack() as spans:
            opened = [spans.enter_context(_span(row)) for row in rows]
            return self._publish(rows, opened, make_sure)

    def _publish(
        self, rows: Sequence[Row], spans: Sequence[trace.Span], make_sure: Callable[[], None]
    ) -> int:
        self._refused.clear()
        tags = [self._send(row, span, make_sure) for row, span in zip(rows, spans, strict=True)]
        self._wait_for_confirms(make_sure)
        for stored, (tag, row) in enumerate(zip(tags, rows, strict=True)):
            if not self._refused.isdisjoint({tag, row.event_id}):
                spans[stored].fail("refused")
                log.warning("relay_refused", event_id=row.event_id, routing_key=row.routing_key)
                metrics.RELAY_REFUSALS.inc()
                return stored
        return len(rows)

    def _wait_for_confirms(self, make_sure: Callable[[], None]) -> None:
        give_up = time.monotonic() + _CONFIRM_LIMIT
        while self._unconfirmed:
            left = give_up - time.monotonic()
            try:
                self._connection.drain_events(timeout=min(max(0.01, left), SURE))
            except TimeoutError:
                if left <= SURE:
                    raise
            make_sure()

    def _send(self, row: Row, span: trace.Span, make_sure: Callable[[], None]) -> int:
        faultpoints.reach("relay.sending")
        make_sure()
        tag = next(self._tags)
        self._unconfirmed.add(tag)
        self._channel.basic_publish(
            _message(row, span.traceparent),
            topology.EVENTS_EXCHANGE,
            row.routing_key,
            mandatory=True,
        )
        return tag

    def idle(self) -> None:
        """Read what the broker says between batches, so that a closed connection is noticed."""
        try:
            self._connection.drain_events(timeout=0.001)
        except TimeoutError:
            return

    def close(self) -> None:
        """Drop the connection without waiting for anybody."""
        self._connection.collect()

    def _on_ack(self, tag: int, multiple: bool = False) -> None:
        if multiple:
            self._unconfirmed = {left for left in self._unconfirmed if left > tag}
        else:
            self._unconfirmed.discard(tag)

    def _on_nack(self, tag: int, multiple: bool = False) -> None:
        self._refused |= {left for left in self._unconfirmed if left <= tag} if multiple else {tag}
        self._on_ack(tag, multiple)

    def _on_return(self, _error: Any, _exchange: str, _key: str, message: amqp.Message) -> None:
        # No queue is bound for it. Without the log stream nobody would ever see the event: it
        # waits here until the topology is mended.
        self._refused.add(message.properties["message_id"])


def _span(row: Row) -> trace.Span:
    """Publishing one event; `ticket.filed.v1` of its key says which, the rest says where it was."""
    name = ".".join(row.routing_key.split(".")[:3])
    described = {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": "send",
        "messaging.operation.name": "publish",
        "messaging.destination.name": topology.EVENTS_EXCHANGE,
        "messaging.message.id": row.event_id,
    }
    return trace.span(f"publish {name}", trace.PRODUCER, row.traceparent, described)


def _message(row: Row, traceparent: str) -> amqp.Message:
    headers: dict[str, Any] = {"traceparent": traceparent}
    if row.cc:
        headers["CC"] = list(row.cc)
    return amqp.Message(
        row.body,
        content_type=events.CONTENT_TYPE,
        content_encoding="utf-8",
        delivery_mode=2,
        message_id=row.event_id,
        application_headers=headers,
    )
