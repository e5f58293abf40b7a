"""The connections of one engine: SQLAlchemy's pool, which tells how long anybody waited for one and
asks those that have rested whether they are still there.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from sqlalchemy import Connection, Engine, PoolProxiedConnection, QueuePool, event
from sqlalchemy.exc import InvalidatePoolError

from chassis import metrics

RESTED = 0.5
"""Seconds after which a connection is asked before it is used. (HikariCP's bound, too, which it
calls `aliveBypassWindowMs`.) Under load each trip to ask would tell nothing new.
"""


class Pool(QueuePool):
    """As large as there are workers, it lets none of them wait: any wait that is counted is one
    too many, whether or not a connection came in the end.
    """

    def connect(self) -> PoolProxiedConnection:
        if self.checkedout() < self.size():
            return super().connect()
        with metrics.POOL_WAIT_SECONDS.time():
            return super().connect()


def ask_the_rested(engine: Engine) -> None:
    """Let the pool see whether a connection that nobody used for half a second is still there,
    before it is given out; where it is not, all that are as old go with it.
    """

    @event.listens_for(engine, "checkin")
    def rest(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ask(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get("rests_since")
        if since is None or time.monotonic() - since < RESTED:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg2.Error as error:
            raise InvalidatePoolError from error


@contextmanager
def singly(engine: Engine) -> Iterator[Connection]:
    """A connection whose statements stand each for itself, in force when they end: one trip to the
    server, where BEGIN and COMMIT make it three.
    """
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.autocommit = True
        try:
            yield connection
        finally:
            # One that died meanwhile takes no orders, and must not go back to the pool.
            if driver.closed:
                connection.invalidate()
            else:
                driver.autocommit = False
