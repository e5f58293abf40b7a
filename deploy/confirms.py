"""Publishing to a queue by its name so that every message is known to be stored, many at a
time.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import amqp

WINDOW = 200
CONFIRM_SECONDS = 30


class NotStored(Exception):
    """The broker did not take a message into the queue."""


class ConfirmedChannel:
    """A channel turned to confirms, which come several at a time and in any order."""

    def __init__(self, channel: Any) -> None:
        channel.confirm_select()
        self._channel = channel
        self._sent = 0
        self._confirmed = 0
        self._ahead: set[int] = set()
        channel.events["basic_ack"].add(self._acked)
        channel.events["basic_nack"].add(self._refused)
        channel.events["basic_return"].add(self._refused)

    def publish_all(self, queue: str, messages: Iterable[amqp.Message]) -> int:
        """Publish into `queue`, wait for the confirms of each window, and return how many are
        stored.

        Raises NotStored when a message is refused or there is no such queue; earlier windows are
        stored then.
        """
        return self.route_all("", ((queue, message) for message in messages))

    def route_all(self, exchange: str, messages: Iterable[tuple[str, amqp.Message]]) -> int:
        """The same for messages that `exchange` routes, each by its key, or nowhere: NotStored."""
        before, remaining = self._sent, iter(messages)
        while window := list(islice(remaining, WINDOW)):
            for key, message in window:
                self._channel.basic_publish(message, exchange, key, mandatory=True)
            self._sent += len(window)
            self._wait()
        return self._sent - before

    def _wait(self) -> None:
        try:
            while self._confirmed < self._sent:
                self._channel.connection.drain_events(timeout=CONFIRM_SECONDS)
        except TimeoutError:
            raise NotStored(f"The broker has said nothing for {CONFIRM_SECONDS} s.") from None

    def _acked(self, tag: int, multiple: bool) -> None:
        self._ahead.update(range(self._confirmed + 1, tag + 1) if multiple else [tag])
        while self._confirmed + 1 in self._ahead:
            self._confirmed += 1
            self._ahead.remove(self._confirmed)

    def _refused(self, *_: Any) -> None:
        raise NotStored(NotStored.__doc__)
