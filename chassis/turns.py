"""Turns at what one of all replicas does at a time: whose it is, an advisory lock of the database
says, and the lock goes with the session that holds it.

A process that is killed loses its turn at once. One that is frozen, or whose machine is gone, loses
it after three seconds without a word, for the server then ends its session; so whoever has a turn
says something every second, and asks before it acts on what it knew longer ago than that.
"""

import time
from typing import Any

_SILENCE = 3_000  # milliseconds
SESSION = {
    "idle_session_timeout": _SILENCE,
    "idle_in_transaction_session_timeout": _SILENCE,
    # For a server that waits for its client to take an answer, or to acknowledge one.
    "tcp_user_timeout": _SILENCE,
}
"""Settings of the session that holds such a lock; they end it on the server's side."""

SURE = 1.0
"""Seconds in which a turn is surely still one's own, after the server has said anything."""


class Turn:
    """A session's turn, on a psycopg2 cursor in autocommit that has the settings of SESSION."""

    def __init__(self, cursor: Any, lock: int) -> None:
        self._cursor = cursor
        self._lock = lock
        self._asked = 0.0

    def take(self) -> bool:
        """Take it if nobody has it; whether it is ours."""
        self._ask("SELECT pg_try_advisory_lock(%s)", self._lock)
        return bool(self._cursor.fetchone()[0])

    def make_sure(self) -> None:
        """Return if it is still ours; raises psycopg2.Error when the session is over."""
        if _now() - self._asked > SURE:
            self._ask("SELECT 1")

    def rest(self, seconds: float) -> None:
        """Sleep, and keep it meanwhile; raises psycopg2.Error."""
        until = _now() + seconds
        while (left := until - _now()) > 0:
            self.make_sure()
            time.sleep(min(left, SURE))

    def _ask(self, query: str, *values: int) -> None:
        # The moment before: the server's patience begins after that.
        asked = _now()
        self._cursor.execute(query, values)
        self._asked = asked


def _now() -> float:
    """Seconds that go on while this process is frozen, and while its machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
