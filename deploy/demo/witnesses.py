"""Two who only listen, each over a protocol of its own, and count what they hear."""

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import amqp
import requests

from chassis import broker_uri, topology
from deploy.api import Api
from deploy.demo.tally import Figures, Tally

_PREFETCH = 200
_PAUSE = 0.5
_PATIENCE = 30.0
"""Seconds for the last events to arrive."""


class _Listening(ABC):
    """What both share: a thread of its own, and a tally."""

    def __init__(self, place: str) -> None:
        self._tally = Tally(place)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def figures(self, versions: Mapping[str, int]) -> Figures:
        """What it has counted once it has seen these tickets at these versions; raises TimeoutError
        when it does not within half a minute, or whatever ended it.
        """
        deadline = time.monotonic() + _PATIENCE
        while not self._tally.has_seen(versions):
            if self._failure:
                raise self._failure
            if time.monotonic() > deadline:
                name = type(self).__name__
                raise TimeoutError(f"{name} has not heard of all; events are kept for 30 days")
            time.sleep(0.05)
        return self._tally.figures()

    def _run(self) -> None:
        try:
            for event in self._events():
                self._tally.take(event)
        except (OSError, amqp.AMQPError, requests.RequestException) as error:
            self._failure = error

    @abstractmethod
    def _events(self) -> Iterable[Mapping[str, Any]]:
        """What it hears, as long as it listens."""


class Subscriber(_Listening):
    """Reads the log stream of all events over AMQP, from its beginning on."""

    def __init__(self, place: str, amqp_uri: str) -> None:
        super().__init__(place)
        self._uri = amqp_uri
        self._thread.start()

    def _events(self) -> Iterable[Mapping[str, Any]]:
        messages: list[amqp.Message] = []
        with amqp.Connection(**broker_uri.arguments(self._uri)) as connection:
            channel = connection.channel()
            channel.basic_qos(0, _PREFETCH, False)
            channel.basic_consume(
                topology.LOG_STREAM,
                callback=messages.append,
                arguments={"x-stream-offset": "first"},
            )
            while True:
                connection.drain_events()
                while messages:
                    message = messages.pop(0)
                    yield json.loads(message.body)
                    channel.basic_ack(message.delivery_tag)


class StreamClient(_Listening):
    """Reads server-sent events, from the oldest that the feed keeps on, and goes on where it was
    when its gateway goes.
    """

    def __init__(self, place: str, api: Api) -> None:
        super().__init__(place)
        self._api, self._area, self._after = api, place, ""
        self._thread.start()

    def _events(self) -> Iterable[Mapping[str, Any]]:
        first = self._api.get("events", area=self._area, limit=1)
        yield from first["items"]
        self._after = first["cursor"]
        while True:
            yield from self._connected()
            time.sleep(_PAUSE)

    def _connected(self) -> Iterator[Mapping[str, Any]]:
        """What comes until the connection ends."""
        try:
            with self._api.stream("events/stream", area=self._area, after=self._after) as response:
                for line in response.iter_lines():
                    if line.startswith(b"id:"):
                        self._after = line[3:].strip().decode()
                    if line.startswith(b"data:"):
                        yield json.loads(line[5:])
        except requests.RequestException:
            return
