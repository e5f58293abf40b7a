"""How a system is: how late events come to those who listen, and how much memory it takes."""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from signal import SIGCONT, SIGSTOP

from chassis import clock
from deploy.databases import SERVICES
from deploy.local import processes
from tests.faults.event_stream import Received
from tests.stack.stack import Stack
from tests.stack.wire import Delivered

_EPOCH = time.time() - time.monotonic()
_MEGABYTE = 1024 * 1024
_TURN = 0.1
"""Seconds in which a slowed service has a tenth of them."""


class Stopwatch:
    """Seconds from now on, without those in which the kernel kept a service, of several the one
    that waited longest, waiting for a processor: those are the machine's, and others may use it.
    """

    def __init__(self, stack: Stack, *names: str) -> None:
        self._stack, self._names = stack, names or SERVICES
        self._starved = {name: starved(stack, name) for name in self._names}
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """So far."""
        took = time.monotonic() - self._begun
        waits = [starved(self._stack, name) for name in self._names]
        # What was started anew meanwhile has waited for nobody before.
        since = [now - (was if now >= was else 0.0) for now, was in self._pairs(waits)]
        return max(0.0, took - max(since))

    def _pairs(self, waits: Sequence[float]) -> Iterator[tuple[float, float]]:
        return zip(waits, self._starved.values(), strict=True)


def starved(stack: Stack, name: str) -> float:
    """Seconds that a service's process has waited for a processor; 0 when it does not run."""
    with contextlib.suppress(OSError, AssertionError):
        return int(Path(f"/proc/{stack.pid(name)}/schedstat").read_text().split()[1]) / 1e9
    return 0.0


def lag(message: Delivered | Received) -> float:
    """Seconds from the request that made an event until the event came."""
    happened = message.time if isinstance(message, Received) else str(message.event["time"])
    return _EPOCH + message.at - clock.parse(happened).timestamp()


def lag_of(messages: Sequence[Delivered | Received]) -> float:
    """The worst of several; 0 of none."""
    return max(map(lag, messages), default=0.0)


def memory(stack: Stack) -> dict[str, int]:
    """Resident megabytes of each service, with what works beside it, and of the broker."""
    pids = {name: stack.pid(name) for name in SERVICES} | {"broker": stack.rabbitmq.pid}
    return {name: _resident(pid) for name, pid in pids.items()}


def _resident(pid: int) -> int:
    sizes = [_size(each) for each in (pid, *processes.descendants(pid))]
    return sum(sizes) // _MEGABYTE


def _size(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it ended meanwhile
        return 0
    kilobytes = status.partition("VmRSS:")[2].split(maxsplit=1)[:1]
    return int(kilobytes[0]) * 1024 if kilobytes else 0


@contextlib.contextmanager
def ten_times_slower(stack: Stack, name: str) -> Iterator[None]:
    """Of all time a service has a tenth meanwhile."""
    pid, ending = stack.pid(name), threading.Event()

    def hold() -> None:
        while not ending.is_set():
            processes.send(pid, SIGSTOP)
            time.sleep(0.9 * _TURN)
            processes.send(pid, SIGCONT)
            time.sleep(0.1 * _TURN)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
