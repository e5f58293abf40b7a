"""A table that nobody can write to for a while."""

import contextlib
import time
from collections.abc import Callable, Iterator

import psycopg2

from deploy.databases import connect
from tests.stack.stack import Stack


@contextlib.contextmanager
def locked(
    stack: Stack, service: str = "tickets", table: str = "tickets"
) -> Iterator[Callable[[], None]]:
    """Nobody can write a service's table until what this gives is called, or the end."""
    connection = connect(stack.postgres.url(f"linli_{service}"))
    connection.cursor().execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
    try:
        yield connection.rollback
    finally:
        with contextlib.suppress(psycopg2.Error):
            connection.close()


def wait_for_waiting(stack: Stack, count: int) -> None:
    """Until so many transactions wait for a lock."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    deadline = time.monotonic() + 1.5
    while stack.value("tickets", sql) < count:
        assert time.monotonic() < deadline, "the filings do not get through"
        time.sleep(0.02)
