"""Runs one program and lets neither it nor its children outlive whoever asked for it.

`python -m deploy.local.keeper LABEL` reads what to run as one line of JSON from its standard
input, and takes the end of that input for the death of its parent: then all is killed. The
command stays out of the argument list because environments hold secrets and `ps` shows arguments.
"""

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.local import processes

LIFELINE = 0
READ_AT_ONCE = 4096
OPEN_FILES = 65536


def main() -> int:
    """Run the program; returns its exit status, 128 + signal when one ended it."""
    processes.adopt_orphans()
    _open_many_files()
    wake = _wake_on(signal.SIGTERM, signal.SIGCHLD)
    order = json.loads(_first_line())
    program = _start(order)
    try:
        return _watch(program, wake, signal.Signals[order["stop"]], order["grace"])
    finally:
        _end_all()


def _watch(program: subprocess.Popen[bytes], wake: int, stop: int, grace: float) -> int:
    deadline = None
    while (status := program.poll()) is None:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        readable, _, _ = select.select([LIFELINE, wake], [], [], left)
        if LIFELINE in readable and not os.read(LIFELINE, READ_AT_ONCE):
            break
        caught = os.read(wake, READ_AT_ONCE) if wake in readable else b""
        if signal.SIGTERM in caught and deadline is None:
            deadline = time.monotonic() + grace
            program.send_signal(stop)
        _bury_orphans(program.pid)
        if deadline is not None and time.monotonic() >= deadline:
            break
    return 128 + signal.SIGKILL if status is None else (status if status >= 0 else 128 - status)


def _open_many_files() -> None:
    """An ordinary user's 1024 are too few: RabbitMQ then lets queues wait for ever."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = hard != resource.RLIM_INFINITY and hard < OPEN_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if few else OPEN_FILES, hard))


def _bury_orphans(program: int) -> None:
    """Take note of adopted children's ends, or they stay as zombies; the program's is `poll`'s."""
    look = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while (ended := os.waitid(os.P_ALL, 0, look)) and ended.si_pid != program:
        os.waitpid(ended.si_pid, 0)


def _start(order: dict[str, Any]) -> subprocess.Popen[bytes]:
    with Path(order["log"]).open("ab") as log:
        return subprocess.Popen(
            order["command"],
            cwd=order["cwd"],
            env=order["env"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_in_the_child(os.getpid()),  # noqa: PLW1509  (no threads here)
            **_as_user(order["user"]),
        )


def _in_the_child(keeper: int) -> Callable[[], None]:
    def prepare() -> None:
        processes.die_with_parent()
        if os.getppid() != keeper:  # it died before the kernel was told
            os._exit(1)

    return prepare


def _as_user(user: list[int] | None) -> dict[str, Any]:
    return {} if user is None else {"user": user[0], "group": user[1], "extra_groups": []}


def _wake_on(*signals: int) -> int:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in signals:
        signal.signal(number, lambda *_: None)
    return reader


def _first_line() -> bytes:
    """Unbuffered, or the lifeline's end might be read ahead of time."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(LIFELINE, READ_AT_ONCE)):
        line += byte
    return line


def _end_all() -> None:
    """Kill what is left and wait for it: adopted orphans are our children too."""
    while True:
        processes.signal_descendants(os.getpid(), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main())
