"""A program that runs under a keeper: start, stop, kill, freeze and thaw it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import processes
from deploy.local.places import ROOT, User

KEEPER_EXTRA = 5.0
"""Seconds a keeper has, beyond its program's grace, before it is killed itself."""


class Died(RuntimeError):
    """The program ended while we waited for it."""


@dataclass
class Child:
    """One program. `stop_signal` asks it to end, `grace` is the seconds it then has."""

    name: str
    command: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = ROOT
    user: User | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    _keeper: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it may still fail, which `running` and the log tell."""
        self._let_go()
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.keeper", self.name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the launcher, which then ends us in order
        )
        assert self._keeper.stdin is not None  # noqa: S101  (says so to the type checker)
        self._keeper.stdin.write(self._order())
        self._keeper.stdin.flush()

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._keeper is not None and self._keeper.poll() is None

    @property
    def status(self) -> int | None:
        """Its exit status, 128 + signal when one ended it; None while it runs."""
        return None if self._keeper is None else self._keeper.poll()

    @property
    def pid(self) -> int | None:
        """The program's process id, None when it is not there."""
        below = processes.descendants(self._keeper.pid) if self._keeper else []
        return below[0] if below else None

    def ask_to_stop(self) -> None:
        """Ask it to end, without waiting."""
        if self._keeper and self.running:
            processes.signal_descendants(self._keeper.pid, signal.SIGCONT)
            processes.send(self._keeper.pid, signal.SIGTERM)

    def stop(self) -> None:
        """Ask it to end and wait; after its grace it is killed."""
        self.ask_to_stop()
        self._wait()

    def kill(self) -> None:
        """`kill -9` of the program and all below it, as a crash would be."""
        if self._keeper:
            processes.signal_descendants(self._keeper.pid, signal.SIGKILL)
        self._wait()

    def freeze(self) -> None:
        """Stop it in its tracks: connections stay open, nothing answers."""
        if self._keeper:
            processes.signal_descendants(self._keeper.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        if self._keeper:
            processes.signal_descendants(self._keeper.pid, signal.SIGCONT)

    def tail(self, lines: int = 15) -> str:
        """The end of its log, for an error message."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _wait(self) -> None:
        if self._keeper is None:
            return
        try:
            self._keeper.wait(self.grace + KEEPER_EXTRA)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        self._let_go()

    def _let_go(self) -> None:
        """Drop the lifeline of a keeper that has ended, or end it with what it keeps."""
        if self._keeper and self._keeper.stdin:
            self._keeper.stdin.close()

    def _order(self) -> bytes:
        order = {
            "command": [str(part) for part in self.command],
            "env": dict(self.env),
            "cwd": str(self.cwd),
            "log": str(self.log),
            "user": None if self.user is None else [self.user.uid, self.user.gid],
            "stop": self.stop_signal.name,
            "grace": self.grace,
        }
        return json.dumps(order).encode() + b"\n"


def wait_until(ready: Callable[[], bool], child: Child, within: float) -> None:
    """Poll `ready` until it is true; raises Died with the log's end, or TimeoutError."""
    deadline = time.monotonic() + within
    while not ready():
        if not child.running:
            raise Died(f"{child.name} ended with status {child.status}:\n{child.tail()}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{child.name} not ready in {within:.0f} s:\n{child.tail()}")
        time.sleep(0.05)
