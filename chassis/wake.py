"""Waking the relay after a commit: one coalesced notification every few milliseconds, on a
connection of its own.

A NOTIFY inside every transaction would take a lock that cuts commits to a third. This one has a
transaction of its own, reaches the active relay whichever replica it belongs to, and may be lost:
the relay also polls.
"""

import eventlet
from eventlet.event import Event
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from chassis.outbox import wake_channel
from chassis.pool import singly

# Commits that come within this time (seconds) of each other share one notification.
_COALESCE = 0.003


class RelayWaker:
    """Collects the wake-ups of this process."""

    def __init__(self, engine: Engine, service: str) -> None:
        self._engine = engine
        self._statement = text(f"NOTIFY {wake_channel(service)}")
        self._asked = Event()
        self._stopped = False

    def wake(self) -> None:
        """Ask that the relay look now. Returns at once and never raises."""
        if not self._asked.ready():
            self._asked.send()

    def stop(self) -> None:
        """Let `run` return."""
        self._stopped = True
        self.wake()

    def run(self) -> None:
        """Send what `wake` asked for, until stopped."""
        while True:
            self._asked.wait()
            if self._stopped:
                return
            self._asked = Event()
            self._notify()
            eventlet.sleep(_COALESCE)

    def _notify(self) -> None:
        try:
            with singly(self._engine) as connection:
                connection.execute(self._statement)
        except SQLAlchemyError:
            # The relay polls: a lost wake-up costs half a second, a raised one the whole container.
            eventlet.sleep(0.5)
