"""Counting what there is in a service's database: by one of its replicas, now and then, and never
because somebody reads the figures.
"""

from collections.abc import Callable, Mapping

import eventlet
from nameko.extensions import DependencyProvider
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from chassis import logs, metrics
from chassis.database import make_engine
from chassis.walls import EVERYTHING

log = logs.get("census")

LOCK = 7_216_004
"""Whoever holds this advisory lock of a service's database is the one who counts."""
_EVERY = 5.0  # seconds


class Census(DependencyProvider):  # type: ignore[misc]
    """`things = Census(name, text, label, count)` in a service class: a gauge by `label` of what
    `count(connection)` finds. That must cost the same however old the database is.

    The lock is that of a connection which does nothing else. The others have one that waits for it,
    and tell nothing.
    """

    def __init__(
        self, name: str, text: str, label: str, count: Callable[[Connection], Mapping[str, float]]
    ) -> None:
        super().__init__()
        self._gauge = (name, text, label)
        self._count = count
        self._found: Mapping[str, float] = {}

    def setup(self) -> None:
        name, text, label = self._gauge
        metrics.report(name, text, lambda: self._found, label=label)
        settings = self.container.config["settings"]
        self._engine = make_engine(settings, pool_size=1, seen=EVERYTHING)

    def start(self) -> None:
        self.container.spawn_managed_thread(self._run)

    def stop(self) -> None:
        self._engine.dispose()

    kill = stop

    def _run(self) -> None:
        while True:
            try:
                with self._engine.connect() as connection:
                    self._take_turn(connection)
            except SQLAlchemyError as error:
                log.warning("census_interrupted", error=type(error).__name__)
            eventlet.sleep(_EVERY)

    def _take_turn(self, connection: Connection) -> None:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        if not connection.scalar(select(func.pg_try_advisory_lock(LOCK))):
            return
        log.info("census_taker")
        try:
            while True:
                self._found = self._count(connection)
                eventlet.sleep(_EVERY)
        finally:
            self._found = {}
            # The lock is the connection's: it must not go back into the pool with it.
            connection.invalidate()
