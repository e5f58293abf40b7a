"""One cut through all databases: a moment at which nothing is half done.

For that moment no transaction that stores or handles an event may be open anywhere, and none may
begin: every such transaction writes to an outbox or an inbox, so a SHARE lock on these tables waits
for those that are open and holds up the rest. Whoever asks meanwhile waits some milliseconds. With
all the locks in hand each database exports a snapshot, and a mark is put into the event log; then
the locks go, and pg_dump reads from the snapshots while everything runs on.

So of every event the cut knows that it is in an outbox, or in the log before the mark, or both; and
what any service did because of an event is in the cut only if its cause is.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from chassis.clock import now
from deploy import settings
from deploy.commands import Refused

LOCK_WITHIN_MS = 1_500
"""Less than the services' own patience with locks (LINLI_LOCK_TIMEOUT): while this waits for a long
transaction, others wait behind it."""
TRIES = 10
_REST = 1.0
_TABLES = ("inbox", "outbox")
"""In the order in which a consumer's transaction touches them: else each would wait for the
other."""


@dataclass(frozen=True)
class Cut:
    """When it was made, for how long writers had to wait (milliseconds), and by service the
    connection whose transaction sees it, with the snapshot that others may look at it by.
    """

    at: datetime
    pause_ms: int
    connections: Mapping[str, Connection]
    snapshots: Mapping[str, str]


@contextmanager
def cut(urls: Mapping[str, str], mark: Callable[[], None]) -> Iterator[Cut]:
    """The cut, which can be read as long as the block lasts. `mark` is called while nobody can
    write. Raises Refused where some transaction does not end, and OperationalError.
    """
    with ExitStack() as stack:
        opened = {
            name: stack.enter_context(settings.engine(url).connect()) for name, url in urls.items()
        }
        for _ in range(TRIES):
            try:
                yield _frozen(urls, opened, mark)
                return
            except _Busy:
                time.sleep(_REST)
        raise Refused("some transaction of a service does not end; nothing has been backed up")


class _Busy(Exception):
    """A lock was not to be had in time."""


def _frozen(
    urls: Mapping[str, str], connections: Mapping[str, Connection], mark: Callable[[], None]
) -> Cut:
    with ExitStack() as locks:
        lockers = [locks.enter_context(settings.engine(url).connect()) for url in urls.values()]
        tables = [_tables(locker) for locker in lockers]
        begun = time.monotonic()
        for locker, names in zip(lockers, tables, strict=True):
            _lock(locker, names)
        mark()
        moment = now()
        snapshots = {name: _snapshot(each) for name, each in connections.items()}
    return Cut(moment, round((time.monotonic() - begun) * 1000), connections, snapshots)


def _tables(connection: Connection) -> list[str]:
    there = "SELECT to_regclass(:name) IS NOT NULL"
    found = [name for name in _TABLES if connection.scalar(text(there), {"name": name})]
    connection.commit()
    return found


def _lock(connection: Connection, tables: list[str]) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_WITHIN_MS}"))
    try:
        if tables:
            connection.execute(text(f"LOCK TABLE {', '.join(tables)} IN SHARE MODE"))
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) == "55P03":  # lock_not_available
            raise _Busy from None
        raise


def _snapshot(connection: Connection) -> str:
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
    # It lives as long as this transaction, which idles while pg_dump works.
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    return str(snapshot)
