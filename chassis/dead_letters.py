"""How many dead letters lie with the consumers of a service, told by the service that owns them."""

from collections.abc import Sequence
from contextlib import suppress

import amqp
import eventlet

from chassis import metrics, topology
from chassis.broker import stay_connected

# Seconds.
_EVERY, _LIMIT = 5.0, 10.0


class DeadLetters:
    """Asks the broker now and then, over a connection of its own: neither who consumes nor who
    reads the figures waits for the answer.
    """

    def __init__(self, queues: Sequence[str]) -> None:
        self._queues = queues
        self._found: dict[str, float] = {}
        metrics.report(
            "linli_dead_letters",
            "Events that a consumer gave up, and that wait for somebody to look",
            lambda: self._found,
            label="queue",
        )

    def watch(self, uri: str) -> None:
        """Ask for ever. While the broker is away nothing is told: it is not known."""
        stay_connected("dead_letters", uri, self._serve)

    def _serve(self, connection: amqp.Connection) -> None:
        try:
            while True:
                with eventlet.Timeout(_LIMIT):
                    self._found = self._ask(connection)
                with suppress(TimeoutError):
                    connection.drain_events(timeout=_EVERY)
                connection.heartbeat_tick()
        finally:
            self._found = {}

    def _ask(self, connection: amqp.Connection) -> dict[str, float]:
        found = {}
        for queue in self._queues:
            # One that is not there costs its channel, and is the topology's business.
            with suppress(amqp.NotFound), connection.channel() as channel:
                dead = channel.queue_declare(topology.dead_queue(queue), passive=True)
                found[queue] = float(dead.message_count)
        return found
