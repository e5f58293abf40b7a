"""The relay: publishes outbox rows with confirms, in order, and deletes what the broker has stored.
A process of its own.

Of all replicas of a service one relay is active (`chassis.turns`); the others stand by. It is woken
by a notification after commits and looks twice a second anyway. It runs without eventlet, so that
sockets have timeouts that the kernel keeps: a broker that reads nothing costs it a reconnect, never
a hang.
"""

import itertools
import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg2
from sqlalchemy import create_engine, make_url

from chassis import clock, faultpoints, logs, metrics, trace, turns
from chassis.outbox import wake_channel
from chassis.process import die_with_parent
from chassis.publisher import LOST, Publisher, Row
from chassis.settings import ServiceSettings
from chassis.turns import Turn

log = logs.get("relay")

BATCH = 100
LOCK = 7_216_002
"""Whoever holds this advisory lock of a service's database is its active relay."""
# Seconds.
_POLL, _STANDBY = 0.5, 1.0

_SESSION = {
    "statement_timeout": 10_000,
    "lock_timeout": 5_000,
    # It only deletes what the broker has. A deletion that a crash of the server takes back is an
    # event that is sent again, with the same id.
    "synchronous_commit": "off",
    **turns.SESSION,
}


class Relay:
    """Moves one service's outbox to the broker until it is told to stop."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._publisher: Publisher | None = None
        self._pauses = _pauses()
        self._stopping = False

    def stop(self, *_: Any) -> None:
        """Finish the batch at hand and return from `run`."""
        self._stopping = True

    def run(self) -> None:
        """Take turns at being the active relay, reconnecting whenever the database goes away."""
        while not self._stopping:
            try:
                connection = self._connect()
                try:
                    self._serve(connection)
                finally:
                    connection.close()
            except psycopg2.Error as error:
                log.warning("relay_without_database", error=type(error).__name__)
                metrics.relay_is("away")
                time.sleep(_STANDBY)

    def _connect(self) -> Any:
        url = make_url(self._settings.database_url)
        _, options = create_engine(url).dialect.create_connect_args(url)
        connection = psycopg2.connect(
            **options,
            application_name=f"linli-{self._settings.service}-relay",
            connect_timeout=3,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=10_000,
            options=" ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
        )
        connection.autocommit = True
        return connection

    def _serve(self, connection: Any) -> None:
        cursor = connection.cursor()
        turn = Turn(cursor, LOCK)
        metrics.relay_is("standby")
        while not self._stopping and not turn.take():
            time.sleep(_STANDBY)
        if self._stopping:
            return
        cursor.execute(f"LISTEN {wake_channel(self._settings.service)}")
        log.info("relay_active")
        metrics.relay_is("active")
        while not self._stopping:
            if not self._forward(cursor, turn):
                _wait(connection)

    def _forward(self, cursor: Any, turn: Turn) -> bool:
        """Publish and delete one batch; whether there may be more to do at once."""
        rows = _oldest(cursor)
        if not rows:
            self._stay_connected()
            return False
        stored = rows[: self._publish(rows, turn)]
        if stored:
            faultpoints.reach("relay.published")
            cursor.execute("DELETE FROM outbox WHERE id = ANY(%s)", ([row.id for row in stored],))
            metrics.EVENTS_RELAYED.inc(len(stored))
        if len(stored) == len(rows):
            self._pauses = _pauses()
            return len(rows) == BATCH
        # Each attempt repeats what was stored behind a row that was refused: ever more slowly. A
        # broker that is away is looked for at the usual pace.
        turn.rest(next(self._pauses) if self._publisher else _POLL)
        return True

    def _publish(self, rows: Sequence[Row], turn: Turn) -> int:
        try:
            self._publisher = self._publisher or Publisher(self._settings.amqp_uri)
            return self._publisher.publish(rows, turn.make_sure)
        except LOST as error:
            log.warning("relay_blocked", error=type(error).__name__, rows=len(rows))
            self._disconnect()
            return 0
        except psycopg2.Error:
            # Another has the turn. What is half published is its business, with the same ids.
            self._disconnect()
            raise

    def _stay_connected(self) -> None:
        try:
            if self._publisher:
                self._publisher.idle()
        except LOST:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._publisher:
            self._publisher.close()
            self._publisher = None


def _oldest(cursor: Any) -> list[Row]:
    faultpoints.reach("relay.reading")
    cursor.execute(
        "SELECT id, event_id, routing_key, cc, body, traceparent FROM outbox ORDER BY id LIMIT %s",
        (BATCH,),
    )
    return [Row(*columns) for columns in cursor.fetchall()]


def _wait(connection: Any) -> None:
    """Until a commit wakes us, or half a second has passed.

    A notification that came with the answer to the last query is in hand already: the socket would
    not tell.
    """
    if not connection.notifies:
        select.select([connection], [], [], _POLL)
        connection.poll()
    connection.notifies.clear()


def _pauses() -> Iterator[float]:
    """Seconds between attempts at what the broker does not take: 0.5, 1, 2, 4, then 5 for ever."""
    for doublings in itertools.count():
        yield min(_POLL * 2 ** min(doublings, 10), 5.0)


def main(service: str, parent: int) -> None:
    """Run the relay of a service until SIGTERM, or until the runner that started it ends."""
    die_with_parent(parent)
    settings = ServiceSettings.load(service)
    logs.configure(f"{settings.service}-relay", settings.log_level)
    trace.begin(f"{settings.service}-relay", settings)
    relay = Relay(settings)
    signal.signal(signal.SIGTERM, relay.stop)
    signal.signal(signal.SIGINT, relay.stop)
    log.info("relay_started", pid=os.getpid(), at=clock.iso(clock.now()))
    relay.run()
    trace.end()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
