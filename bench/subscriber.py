"""A subscriber, as cheap as it can be: `python -m bench.subscriber AMQP_URI COUNT` hears of so many
filings and prints when.
"""

import json
import sys
import time
from typing import Any

from chassis import topology
from tests.stack import wire

_PATIENCE = 30.0


def main(uri: str, count: int) -> None:
    """Listen, and tell."""
    heard: list[tuple[float, Any]] = []
    with wire.channel(uri) as channel:
        queue = channel.queue_declare(exclusive=True).queue
        channel.queue_bind(queue, topology.EVENTS_EXCHANGE, "ticket.filed.#")
        channel.basic_consume(
            queue, no_ack=True, callback=lambda message: heard.append((time.time(), message.body))
        )
        _say("ready")
        while len(heard) < count:
            channel.connection.drain_events(timeout=_PATIENCE)
    _say(json.dumps({json.loads(body)["subject"]: [at] for at, body in heard}))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
