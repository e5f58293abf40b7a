"""A stand-in for the service `residents`: it answers `contact` on its real queue."""

import contextlib
import json
import threading
from typing import Any

import amqp

from chassis import broker_uri, topology
from chassis import call as calls
from chassis.errors import NotFound, ServiceError


class ResidentsDouble:
    """Knows people by id. While it is not `present`, requests for it wait in the queue."""

    def __init__(self, amqp_uri: str) -> None:
        self.contacts: dict[str, dict[str, Any]] = {}
        self.asked_by: set[str] = set()
        self._uri = amqp_uri
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def present(self) -> None:
        """Begin to answer."""
        self._over.clear()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def absent(self) -> None:
        """Stop answering."""
        self._over.set()
        if self._thread:
            self._thread.join()

    def _serve(self) -> None:
        while not self._over.is_set():
            # The broker may be away: a service would come back as well.
            with contextlib.suppress(OSError, amqp.AMQPError):
                self._consume()

    def _consume(self) -> None:
        with amqp.Connection(**broker_uri.arguments(self._uri)) as connection:
            channel = connection.channel()
            queue = topology.rpc_queue("residents")
            channel.basic_consume(queue, callback=lambda message: self._answer(channel, message))
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    connection.drain_events(timeout=0.05)

    def _answer(self, channel: Any, message: Any) -> None:
        call = calls.decode(message.headers["linli-call"])
        self.asked_by.add(call.actor.kind)
        [query] = json.loads(message.body)["args"]
        contact = self.contacts.get(query["id"])
        error: ServiceError | None = None if contact else NotFound()
        answer = {"result": contact, "error": error.to_wire() if error else None}
        properties = {
            "content_type": "application/json",
            "content_encoding": "utf-8",
            "correlation_id": message.properties["correlation_id"],
        }
        reply = amqp.Message(json.dumps(answer), **properties)
        channel.basic_publish(reply, "", message.properties["reply_to"])
        message.channel.basic_ack(message.delivery_tag)
