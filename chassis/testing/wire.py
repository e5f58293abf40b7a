"""A plain channel to the broker, without eventlet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import amqp

from chassis import broker_uri


@contextmanager
def opened(uri: str, **options: Any) -> Iterator[amqp.Channel]:
    """A channel of a connection that is closed at the end; `options` are the connection's."""
    connection = amqp.Connection(**broker_uri.arguments(uri), **options)
    connection.connect()
    try:
        yield connection.channel()
    finally:
        connection.close()
