"""One client of the event stream: a place, and what comes after it."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import eventlet
from eventlet.event import Event

from chassis import sse
from services.gateway.feed import Cursor, CursorGone, Found, Item
from services.gateway.rights import Revoked, Rights

if TYPE_CHECKING:
    from services.gateway.hub import EventHub

# Seconds: how long a stream lasts before its client has to come back and show who it is; how soon a
# client looks again when the table is not yet as far as the ring begins.
_LIFETIME, _LOOK_AGAIN = 900.0, 0.25
_BATCH = 200


class Follower:
    """The source of one client's messages. There is no queue to overflow: it reads on when the
    client has taken what came before, however far behind that is.
    """

    def __init__(self, hub: "EventHub", rights: Rights, start: Cursor) -> None:
        self._hub = hub
        self._rights = rights
        self._place = start
        self._told: Cursor | None = None
        self._closed = False
        self._bell = Event()
        self._until = time.monotonic() + _LIFETIME

    def take(self, wait: float) -> Sequence[sse.Message] | None:
        """What is due; see `sse.Source`. First of all the client learns where it is."""
        deadline = time.monotonic() + wait
        while not self._over():
            news, before = self._hub.news, self._place
            try:
                messages = self._next()
            except (Revoked, CursorGone):
                # Whoever comes back is told why.
                return None
            if messages:
                return messages
            if self._place != before:
                eventlet.sleep(0)
            elif self._told is None or time.monotonic() >= deadline:
                return self._whereabouts()
            else:
                self._wait(news, deadline)
        return None

    def close(self) -> None:
        """End the stream."""
        self._closed = True
        if not self._bell.ready():
            self._bell.send()

    def _over(self) -> bool:
        elsewhere = self._hub.epoch != self._place.epoch
        return self._closed or elsewhere or time.monotonic() > self._until

    def _next(self) -> list[sse.Message]:
        """Move the place on, and return what lay on the way; raises Revoked, CursorGone."""
        found = self._found()
        while self._rights.renew(telling=bool(found.items)):
            found = self._found()
        self._place = Cursor(self._place.epoch, found.reached)
        if found.items:
            self._told = Cursor(self._place.epoch, found.items[-1][0])
        return [sse.Message(str(Cursor(self._place.epoch, at)), body) for at, body in found.items]

    def _found(self) -> Found:
        if self._behind():
            return self._hub.catch_up(self._place, self._rights.selection)
        items = self._hub.ring.after(self._place.offset, _BATCH)
        reached = items[-1].offset if items else self._place.offset
        return Found(self._admitted(items), reached)

    def _behind(self) -> bool:
        first = self._hub.ring.first
        # Of an empty ring: a gateway that has just begun has read nothing yet, and there may be
        # nothing to read for hours.
        return self._place.offset < (self._hub.end if first is None else first - 1)

    def _admitted(self, items: Sequence[Item]) -> list[tuple[int, str]]:
        selection = self._rights.selection
        return [
            (item.offset, selection.tell(item.body, item.facts))
            for item in items
            if item.body is not None and item.admitted_by(selection)
        ]

    def _whereabouts(self) -> list[sse.Message]:
        """The client's place, so that it does not begin long ago when it comes back; nothing if it
        knows that.
        """
        told, self._told = self._told, self._place
        return [] if told == self._place else [sse.Message(str(self._place))]

    def _wait(self, news: Event, deadline: float) -> None:
        left = max(0.0, deadline - time.monotonic())
        if not news.ready() and not self._closed:
            self._bell = Event()
            # What the indexer does is no news.
            self._hub.wait(self._bell, min(left, _LOOK_AGAIN) if self._behind() else left)
