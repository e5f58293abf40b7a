"""Keeps the feed table up to date with the log stream. Of all gateways one does, the one that holds
the lock (`chassis.turns`); the others stand by.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import eventlet
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis import clock, logs, turns
from services.gateway import feed
from services.gateway.feed import Item, NotTheIndexer, State

if TYPE_CHECKING:
    from services.gateway.hub import EventHub

log = logs.get("indexer")

_LOCK = 7_216_003
_BATCH = 500
# Seconds; after _STUCK without progress nobody waits for it any more. What comes within _GATHER of
# each other is stored together.
_STANDBY, _IDLE, _STUCK, _GATHER = 1.0, 1.0, 2.0, 0.1


class Indexer:
    """Moves what the hub has read into the table, in the order of the stream, each message once."""

    def __init__(self, hub: "EventHub", engine: Engine, days: int) -> None:
        self._hub = hub
        self._engine = engine
        self._days = days
        self._day: object = None
        self._stopping = False
        # When it got on, and when the database last gave a sign of life (`time.monotonic()`).
        self._progress = self._heard = 0.0

    @property
    def working(self) -> bool:
        """Whether this gateway is the one that indexes, and gets on with it."""
        return time.monotonic() - self._progress < _STUCK

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping = True

    def run(self) -> None:
        """Take turns at indexing until stopped. Never raises."""
        while not self._stopping:
            try:
                with self._engine.connect() as connection:
                    self._take_turn(connection)
            except (SQLAlchemyError, NotTheIndexer) as error:
                log.warning("feed_not_indexed", error=type(error).__name__)
            except Exception:
                log.exception("feed_indexer_failed")
            eventlet.sleep(_STANDBY)

    def _take_turn(self, connection: Connection) -> None:
        locked = connection.scalar(select(text(f"pg_try_advisory_lock({_LOCK})")))
        connection.commit()
        if not locked:
            return
        log.info("feed_indexer_active")
        try:
            for name, value in turns.SESSION.items():
                connection.execute(text(f"SET {name} = {value}"))
            connection.commit()
            self._index(connection)
        finally:
            self._progress = 0.0
            # The lock is the connection's: it must not go back into the pool with it.
            connection.invalidate()

    def _index(self, connection: Connection) -> None:
        """Index as long as the connection, and with it the lock, lasts: every statement uses it."""
        state = self._load(connection)
        while not self._stopping:
            self._progress = time.monotonic()
            news = self._hub.news
            if self._hub.epoch != state.epoch:
                state = self._agree(connection)
            elif items := self._due(state):
                state = self._store(connection, state, items)
                self._hub.indexed(state)
                if len(items) < _BATCH:
                    eventlet.sleep(_GATHER)
            else:
                news.wait(timeout=_IDLE)
                self._stay(connection)

    def _load(self, connection: Connection) -> State:
        with Session(connection) as session, session.begin():
            return feed.load_state(session, clock.now())

    def _agree(self, connection: Connection) -> State:
        """Bring the hub and the table to the same epoch: the table's."""
        state = self._load(connection)
        if self._hub.epoch not in (None, state.epoch):
            self._hub.rewind()
        self._hub.adopt(state)
        return state

    def _due(self, state: State) -> Sequence[Item]:
        first = self._hub.ring.first
        if first is None:
            return []
        if state.offset is not None and first > state.offset + 1:
            # More came than the ring holds while the database was away.
            self._hub.rewind()
            return []
        return self._hub.ring.after(-1 if state.offset is None else state.offset, _BATCH)

    def _store(self, connection: Connection, state: State, items: Sequence[Item]) -> State:
        self._prepare(connection)
        self._heard = time.monotonic()
        with Session(connection) as session, session.begin():
            return feed.store(session, state, items, clock.now())

    def _stay(self, connection: Connection) -> None:
        """Ask the database for a sign of life if it has given none for a while: without one a lost
        lock would go unnoticed.
        """
        self._prepare(connection)
        asked = time.monotonic()
        if asked - self._heard >= _IDLE:
            connection.execute(select(1))
            connection.commit()
            self._heard = asked

    def _prepare(self, connection: Connection) -> None:
        """Once a day, make the partitions that will be needed and drop what is too old."""
        now = clock.now()
        if now.date() == self._day:
            return
        with Session(connection) as session, session.begin():
            feed.prepare(session, now)
            dropped = feed.forget(session, now, self._days)
        self._day = now.date()
        log.info("feed_prepared", day=str(self._day), dropped=dropped)
