"""Work that comes in rounds: a method that is run again and again while there is something to do.

It rests between rounds that found nothing, and is woken by whoever made work for it.
"""

from typing import Any

import eventlet
from eventlet.event import Event
from eventlet.timeout import Timeout
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import DependencyProvider, Entrypoint, SharedExtension

from chassis import database, logs
from chassis.call import system_call
from chassis.context import CALL

log = logs.get("rounds")

# After a round that failed: long enough not to burn, short enough to be back when the trouble is.
PAUSE_AFTER_FAILURE = 1.0
# So long work gathers for a round that was not full: most of what a round costs, it costs once.
_GATHER = 0.1


class Bell(SharedExtension):  # type: ignore[misc]
    """What wakes the rounds of this process. Other replicas find the work when they next look."""

    def __init__(self) -> None:
        super().__init__()
        self._rung = Event()

    def ring(self) -> None:
        """Let the next round begin now. Returns at once; ringing twice is ringing once."""
        if not self._rung.ready():
            self._rung.send()

    def wait(self, seconds: float) -> None:
        """Until somebody rings, or for so long."""
        with Timeout(seconds, False):
            self._rung.wait()
        self._rung = Event()


class Waker(DependencyProvider):  # type: ignore[misc]
    """Gives a worker the bell: `self.courier.ring()` once what it made is committed."""

    bell = Bell()

    def get_dependency(self, worker_ctx: Any) -> Bell:
        return self.bell


class Rounds(Entrypoint):  # type: ignore[misc]
    """Runs its method, one round at a time, for as long as the service lives.

    The method returns how much it did, at most `settings.batch`. After nothing, or a failure, the
    next round waits for the bell or for `settings.poll` seconds; after less than a batch, for more
    to gather. A failed round ends no service: what it left undone is found again.
    """

    bell = Bell()

    def setup(self) -> None:
        self._stopping = False
        settings = self.container.config["settings"]
        self._rest, self._full = settings.poll, settings.batch

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run, identifier="rounds")

    def stop(self) -> None:
        """Let the round in hand end, and begin no other."""
        self._stopping = True
        self.bell.ring()
        self._thread.wait()

    def kill(self) -> None:
        self._stopping = True
        self._thread.kill()

    def span(self, _worker_ctx: Any) -> None:
        """None: most rounds find nothing, and what one finds belongs to the traces of others."""

    def _run(self) -> None:
        while not self._stopping:
            try:
                done, error = self._round()
            except ContainerBeingKilled:
                return
            if error is not None:
                _complain(error)
                eventlet.sleep(PAUSE_AFTER_FAILURE)
                continue
            if not done:
                self.bell.wait(self._rest)
            if done < self._full and not self._stopping:
                eventlet.sleep(_GATHER)

    def _round(self) -> tuple[int, BaseException | None]:
        ended: Event = Event()

        def finish(_context: Any, result: Any, exc_info: Any) -> Any:
            ended.send((result or 0, exc_info[1] if exc_info else None))
            return result, exc_info

        call = system_call(self.container.service_name)
        self.container.spawn_worker(self, (), {}, context_data={CALL: call}, handle_result=finish)
        outcome: tuple[int, BaseException | None] = ended.wait()
        return outcome


in_rounds = Rounds.decorator


def _complain(error: BaseException) -> None:
    if database.is_infrastructure(error):
        log.warning("round_held", error=type(error).__name__)
    else:
        log.error("round_failed", exc_info=error)
