"""The event log to a file, up to a mark, and from there to an empty broker."""

import gzip
import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import amqp

from chassis import events, topology
from chassis.ids import new_id
from deploy.backfill import read_stream
from deploy.broker import Broker
from deploy.confirms import ConfirmedChannel

NAME = "events.jsonl.gz"
PATIENCE_SECONDS = 30.0
RETURN = "linli.restore"
"""A topic exchange that there is while events return: what goes through it reaches logs alone."""


class Mark:
    """A message in the log that is no event: what came before it is in the backup."""

    def __init__(self, channel: Any) -> None:
        self._publishing = ConfirmedChannel(channel)
        self.body = json.dumps({"linli": "backup", "id": str(new_id())})

    def put(self) -> None:
        """Write it down; raises NotStored where the broker does not take it."""
        message = amqp.Message(self.body, content_type="application/json", delivery_mode=2)
        self._publishing.publish_all(topology.LOG_STREAM, [message])


def save(broker: Broker, mark: str, path: Path) -> int:
    """Write every event before the mark to a file, a line of JSON each; how many. Raises
    TimeoutError where the log ends before it.
    """
    count = 0
    with (
        broker.connect() as connection,
        closing(read_stream(connection, "first", lambda: PATIENCE_SECONDS)) as messages,
        _written(path) as file,
    ):
        for event in filter(None, map(_event, takewhile(lambda each: each.body != mark, messages))):
            file.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
            count += 1
    return count


def saved(path: Path) -> Iterator[dict[str, Any]]:
    """Each event of the file: its `key`, its `body` as it was sent, and its `traceparent`."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def message(event: dict[str, Any], cc: list[str]) -> amqp.Message:
    """The event as a relay would publish it."""
    headers: dict[str, Any] = {"traceparent": event["traceparent"]}
    if cc:
        headers["CC"] = cc
    return amqp.Message(
        event["body"],
        content_type=events.CONTENT_TYPE,
        content_encoding="utf-8",
        delivery_mode=2,
        message_id=json.loads(event["body"])["id"],
        application_headers=headers,
    )


@contextmanager
def returning(channel: Any, logs: dict[str, list[str]]) -> Iterator[None]:
    """The exchange RETURN, with these streams bound by these keys; gone afterwards."""
    channel.exchange_declare(RETURN, "topic", durable=True, auto_delete=False)
    try:
        for stream, keys in logs.items():
            for key in keys:
                channel.queue_bind(stream, RETURN, key)
        yield
    finally:
        channel.exchange_delete(RETURN)


def _event(message: amqp.Message) -> dict[str, Any] | None:
    """What is kept of a message; None for what is no event of ours."""
    if message.properties.get("content_type") != events.CONTENT_TYPE:
        return None
    headers = message.properties.get("application_headers") or {}
    return {
        "key": message.delivery_info["routing_key"],
        "body": message.body if isinstance(message.body, str) else message.body.decode(),
        "traceparent": headers.get("traceparent", ""),
    }


@contextmanager
def _written(path: Path) -> Iterator[Any]:
    raw = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(raw, "wb") as file, gzip.open(file, "wt", encoding="utf-8") as text:
        yield text
