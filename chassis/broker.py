"""Connections to the broker for greenthreads: opened within a limit, opened again when they are
lost, and closed so that what was said last is heard.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import amqp
import eventlet
from greenlet import GreenletExit

from chassis import broker_uri, logs

log = logs.get("broker")

LOST = (OSError, amqp.AMQPError)
"""What py-amqp raises when a connection or a channel is gone."""

HEARTBEAT = 60
"""Seconds; generous, because work on the CPU delays them."""

# Seconds: for each step of connecting, for all of it, and for the goodbye.
_STEP_LIMIT, _OPEN_LIMIT, _CLOSE_LIMIT = 3.0, 5.0, 1.0
# A connection that held this long was a good one: the next is tried for at once.
_GOOD = 5.0


def backoff() -> Iterator[float]:
    """Pauses between attempts to reconnect, in seconds: 0.2, 0.5, 0.8, then 1 for ever."""
    for step in itertools.count():
        yield min(0.2 + 0.3 * step, 1.0)


def connect(uri: str, **options: Any) -> amqp.Connection:
    """An open connection to the broker that the URI names; raises one of LOST."""
    connection = amqp.Connection(
        **broker_uri.arguments(uri),
        heartbeat=HEARTBEAT,
        connect_timeout=_STEP_LIMIT,
        **options,
    )
    try:
        connection.connect()
    except BaseException:
        connection.collect()
        raise
    # Told that the broker can say `blocked`, py-amqp reads before it publishes, in whichever
    # greenthread that is: a frame of which the reader has half would be torn apart. The broker
    # has been told already, and the reader hears it.
    connection.client_properties = {}
    return connection


def close(connection: amqp.Connection) -> None:
    """Say goodbye, so that the broker reads what was written last, but wait no longer than a
    second for its answer. Never raises.
    """
    try:
        with eventlet.Timeout(_CLOSE_LIMIT, False):
            connection.close()
    except Exception as error:  # noqa: BLE001 - it may be in any state, and is done with
        log.debug("broker_gone_before_goodbye", error=type(error).__name__)
    finally:
        connection.collect()


def stay_connected(
    name: str, uri: str, serve: Callable[[amqp.Connection], None], **options: Any
) -> None:
    """Run `serve` on an open connection, and on a new one whenever that ends, until this
    greenthread is killed. `name` says in the log whose connection it is.
    """
    pauses = backoff()
    with suppress(GreenletExit):
        while True:
            began = time.monotonic()
            _serve_once(name, uri, serve, options)
            if time.monotonic() - began > _GOOD:
                pauses = backoff()
            eventlet.sleep(next(pauses))


def _serve_once(name: str, uri: str, serve: Callable[..., None], options: dict[str, Any]) -> None:
    connection = None
    try:
        with eventlet.Timeout(_OPEN_LIMIT):
            connection = connect(uri, **options)
        log.info("broker_connected", line=name)
        serve(connection)
    except (*LOST, eventlet.Timeout) as error:
        log.warning("broker_lost", line=name, error=type(error).__name__)
    except Exception:
        # Whatever a broken stream of frames makes of the client: a new connection is as good as
        # a new process.
        log.exception("broker_connection_failed", line=name)
    finally:
        if connection is not None:
            close(connection)
