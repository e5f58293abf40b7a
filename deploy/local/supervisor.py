"""Keeps services running: one that ends unasked is started again, after a pause that grows. So are
servers, as often as it takes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from deploy.local.child import Child, Died
from deploy.local.postgres import PrivatePostgres
from deploy.local.rabbitmq import PrivateRabbitMQ

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
SERVERS_PAUSE = 1.0
STEADY_AFTER = 30.0
"""Seconds after which a service that ends is no longer held to be failing again and again."""


@dataclass
class Kept:
    """A service, with when it was started and when it may be started again."""

    child: Child
    started: float = 0.0
    pause: float = FIRST_PAUSE
    again_at: float | None = None


class Supervisor:
    """Several services. `say` is told what happens to them."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._kept: list[Kept] = []

    def start(self, child: Child) -> None:
        """Start a service and keep it running from now on."""
        child.start()
        self._kept.append(Kept(child, started=time.monotonic()))

    def look(self) -> None:
        """Start again what has ended; to be called a few times a second."""
        for kept in self._kept:
            if kept.child.running:
                continue
            now = time.monotonic()
            if kept.again_at is None:
                self._note_the_end(kept, now)
            elif now >= kept.again_at:
                kept.child.start()
                kept.started, kept.again_at = now, None

    def stop(self) -> None:
        """End them all, at the same time."""
        for kept in self._kept:
            kept.child.ask_to_stop()
        for kept in self._kept:
            kept.child.stop()

    def _note_the_end(self, kept: Kept, now: float) -> None:
        if now - kept.started > STEADY_AFTER:
            kept.pause = FIRST_PAUSE
        self._say(
            f"{kept.child.name} ended with status {kept.child.status}; "
            f"starts again in {kept.pause:.1f} s ({kept.child.log})"
        )
        kept.again_at = now + kept.pause
        kept.pause = min(kept.pause * 2, LONGEST_PAUSE)


def start_again(
    server: PrivatePostgres | PrivateRabbitMQ, say: Callable[[str], object]
) -> None:
    """Start a server that has ended. When that cannot be, for want of disk most likely, it is said,
    and left to the next time.
    """
    name = type(server).__name__
    say(f"{name} ended; starting it again")
    try:
        server.start()
    except (Died, TimeoutError) as error:
        say(f"{name} does not start: {error}")
        time.sleep(SERVERS_PAUSE)
