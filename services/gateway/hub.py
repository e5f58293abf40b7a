"""The event hub: one reader of the log stream for all clients of this gateway.

Each client has a place in the stream and reads on from there: from the ring if that reaches back
far enough, otherwise from the feed table, which one gateway at a time keeps up to date.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from nameko.extensions import DependencyProvider
from sqlalchemy.orm import Session
from werkzeug.wrappers import Request, Response

from chassis import clock, health, logs, metrics, sse, topology
from chassis.call import Call
from chassis.database import make_engine
from chassis.errors import Unavailable
from chassis.stream import Place, StreamMessage, StreamReader
from services.gateway import feed
from services.gateway.authentication import bearer_token
from services.gateway.feed import Cursor, CursorGone, Found, State
from services.gateway.feed_rules import Filters, Selection
from services.gateway.follower import Follower
from services.gateway.indexer import Indexer
from services.gateway.rights import Readers
from services.gateway.ring import Ring

log = logs.get("hub")

# How many messages a client takes from the table at a time, and how many may read it at a time; the
# indexer has a connection besides.
_BATCH = 200
_READERS = 8
# Seconds: to let news gather before everybody is woken; to wait for a cursor that is ahead of what
# is known here.
_GATHER, _AHEAD = 0.02, 3.0


@dataclass(frozen=True)
class Page:
    """Events as JSON texts, the cursor after them, and whether there are more by now."""

    items: Sequence[str]
    cursor: str
    more: bool


class EventHub(DependencyProvider):  # type: ignore[misc]
    """`events = EventHub()`: `self.events.page(…)` for GET events, `self.events.stream(…)` for GET
    events/stream. Both raise CursorMalformed, CursorGone and Unavailable.
    """

    def setup(self) -> None:
        self._settings = self.container.config["settings"]
        self._engine = make_engine(self._settings, pool_size=_READERS + 1)
        self._readers = Semaphore(_READERS)
        self.ring = Ring(self._settings.feed_ring)
        self.epoch: int | None = None
        self._indexed = -1
        self._news, self._fresh = Event(), Event()
        self._bells: set[Event] = set()
        self._rights = Readers(self)
        self.reader = StreamReader(self._settings.amqp_uri, topology.LOG_STREAM, self)
        self.indexer = Indexer(self, self._engine, self._settings.feed_days)
        metrics.report(
            "linli_feed_behind",
            "Events that are read and not yet in the feed",
            lambda: self.end - self._indexed,
        )
        metrics.report("linli_stream_clients", "Who follow the stream", lambda: len(self._rights))
        health.register("events", lambda: None if self.reader.connected else "not_connected")

    def start(self) -> None:
        for task in (self.reader.run, self.indexer.run, self._rights.run, self._wake):
            self.container.spawn_managed_thread(task)

    def stop(self) -> None:
        self.indexer.stop()
        self.reader.stop()
        self._engine.dispose()

    kill = stop

    def get_dependency(self, _worker_ctx: Any) -> "EventHub":
        return self

    # What the gateway's entrypoints call.

    def page(self, call: Call, filters: Filters, after: str | None, limit: int) -> Page:
        """At most `limit` events after the cursor `after`, or from the oldest that is kept; only
        those the caller may see.
        """
        start, selection = self._start(after, of_ring=False), Selection.of(call, filters)
        with self.session() as session:
            state = self._state(session)
            self._hold(session, state, start)
            until = -1 if state.offset is None else state.offset
            found = feed.events_after(session, start, selection, limit, until)
        return Page(
            items=[body for _, body in found.items],
            cursor=str(Cursor(start.epoch, found.reached)),
            more=len(found.items) == limit,
        )

    def stream(self, request: Request, call: Call, filters: Filters, after: str | None) -> Response:
        """Server-sent events after the cursor `after` (the Last-Event-ID), or from now on; only
        those the caller may see. Each event's id is the cursor after it.
        """
        start = self._start(after) if after else self._now()
        token = bearer_token(request.headers.get("Authorization")) or ""
        rights = self._rights.admit(call, token, filters)
        return sse.respond(request, Follower(self, rights, start))

    # What clients and the indexer call.

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session of the hub's own; what it writes is committed at the end."""
        with self._readers, Session(self._engine) as session, session.begin():
            yield session

    @property
    def end(self) -> int:
        """The last offset known here; -1 before the first."""
        return max(self.ring.last.offset if self.ring.last else -1, self._indexed)

    @property
    def news(self) -> Event:
        """Fires at the next news; to be asked for before looking whether there are any."""
        return self._news

    def wait(self, bell: Event, seconds: float) -> None:
        """Wait for the next news, or until somebody else rings this client's bell."""
        self._bells.add(bell)
        try:
            bell.wait(timeout=seconds)
        finally:
            self._bells.discard(bell)

    def adopt(self, state: State) -> None:
        """Take over what the database says of the stream; another epoch voids all there was."""
        if self.epoch not in (None, state.epoch):
            log.warning("feed_epoch_changed", epoch=state.epoch)
            self.ring.clear()
            self._indexed = -1
        self.epoch = state.epoch
        self._indexed = max(self._indexed, -1 if state.offset is None else state.offset)

    def indexed(self, state: State) -> None:
        """Be told how far the feed table is now."""
        self._indexed = -1 if state.offset is None else state.offset

    def rewind(self) -> None:
        """Read the stream again from where the feed table ends."""
        self.reader.restart()
        self.ring.clear()

    def nudge(self) -> None:
        """Let everybody who waits for news look."""
        if not self._fresh.ready():
            self._fresh.send()

    def catch_up(self, place: Cursor, selection: Selection) -> Found:
        """Events after `place` that only the feed table has any more; raises CursorGone when it
        has not all of them.
        """
        with self.session() as session:
            state = self._state(session)
            if state.epoch != place.epoch or state.offset is None:
                return Found([], place.offset)
            self._hold(session, state, place)
            return feed.events_after(session, place, selection, _BATCH, state.offset)

    # The reader's journal.

    def place(self) -> Place | None:
        with self.session() as session:
            state = feed.load_state(session, clock.now())
        self.adopt(state)
        if last := self.ring.last:
            return Place(last.offset, last.digest)
        if state.offset is None or state.digest is None:
            return None
        return Place(state.offset, state.digest)

    def knows(self, message: StreamMessage) -> bool:
        if item := self.ring.at(message.offset):
            return item.digest == message.digest
        with self.session() as session:
            return feed.digest_at(session, self.epoch or 0, message.offset) == message.digest

    def read(self, message: StreamMessage) -> None:
        item = feed.item_of(message)
        self._rights.hear(item)
        self.ring.append(item)
        self.nudge()
        # Reading an old stream is faster than indexing it, and what falls out of the ring before it
        # is indexed would have to be read again. Without its database, though, the gateway goes on
        # telling what is new.
        while message.offset - self._indexed >= self._settings.feed_ring and self.indexer.working:
            eventlet.sleep(0.01)

    def restarted(self) -> None:
        with self.session() as session:
            self.adopt(feed.begin_epoch(session, self.epoch or 0, clock.now()))

    def _wake(self) -> None:
        """Wake everybody who waits for news, once for all that came meanwhile."""
        while True:
            self._fresh.wait()
            eventlet.sleep(_GATHER)
            self._fresh, self._news, fired = Event(), Event(), self._news
            self._bells, woken = set(), self._bells
            for each in (fired, *woken):
                if not each.ready():
                    each.send()

    def _state(self, session: Session) -> State:
        state = feed.load_state(session, clock.now())
        if self.epoch in (None, state.epoch):
            self.adopt(state)
        return state

    def _now(self) -> Cursor:
        with self.session() as session:
            state = self._state(session)
        if state.epoch != self.epoch:
            raise Unavailable(retry_after=1)  # The reader is about to find out.
        return Cursor(state.epoch, self.end)

    def _start(self, after: str | None, *, of_ring: bool = True) -> Cursor:
        """The place that a cursor means; raises CursorGone when what comes after it is not all
        there. `of_ring`: the reader is also told what only the ring has any more.
        """
        cursor = Cursor.parse(after) if after is not None else None
        with self.session() as session:
            state = self._state(session)
            oldest = _kept(session, state)
        if of_ring and self.epoch == state.epoch and self.ring.first is not None:
            oldest = min(oldest, self.ring.first)
        if cursor is None:
            return Cursor(state.epoch, oldest - 1)
        if cursor.epoch != state.epoch:
            raise _gone("other_epoch", state, oldest)
        if cursor.offset < oldest - 1:
            raise _gone("expired", state, oldest)
        if not self._reaches(cursor):
            raise _gone("ahead", state, oldest)
        return cursor

    def _hold(self, session: Session, state: State, place: Cursor) -> None:
        """Make sure that the feed table has all that comes after the place, and keeps it as long
        as the transaction lasts: what has read from a partition holds up its being dropped. Raises
        CursorGone.
        """
        oldest = _kept(session, state)
        if state.epoch == place.epoch and place.offset < oldest - 1:
            raise _gone("expired", state, oldest)

    def _reaches(self, cursor: Cursor) -> bool:
        """Whether the stream goes as far as the cursor. The gateway that gave it may have been
        ahead of this one, or of what the feed table knew when this one was started, so this waits
        a little; raises Unavailable if it cannot be told.
        """
        give_up = time.monotonic() + _AHEAD
        while cursor.offset > self.end:
            if self.reader.caught_up and self.epoch == cursor.epoch:
                return False
            if time.monotonic() > give_up:
                raise Unavailable(retry_after=1)
            eventlet.sleep(0.05)
        return True


def _kept(session: Session, state: State) -> int:
    """The oldest offset of the feed table, or where its first will be."""
    oldest = feed.oldest(session, state.epoch)
    if oldest is not None:
        return oldest
    return 0 if state.offset is None else state.offset + 1


def _gone(reason: str, state: State, oldest: int) -> CursorGone:
    return CursorGone(reason=reason, restart_from=str(Cursor(state.epoch, oldest - 1)))
