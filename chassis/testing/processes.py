"""A service run as operators run it: a process of its own, through the runner."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self


class ServiceProcess:
    """`module:Class` under the runner. Use it as a context manager: leaving it ends the process for
    sure.
    """

    def __init__(self, path: str, environ: Mapping[str, str], cwd: str | Path = ".") -> None:
        self._path = path
        self._environ = dict(environ)
        self._cwd = cwd
        self._log = tempfile.NamedTemporaryFile(mode="w+", suffix=".log")  # noqa: SIM115 - lives as long as this
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.kill()
        self._log.close()

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the one started last."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has logged since the first start."""
        return Path(self._log.name).read_text()

    def start(self, **environ: str) -> None:
        """Start it; further variables hold for this start only."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chassis.runner", self._path],
            env={**os.environ, "LINLI_PARENT": str(os.getpid()), **self._environ, **environ},
            cwd=self._cwd,
            stdout=self._log,
            stderr=self._log,
        )

    def stop(self, within: float = 10.0) -> int:
        """Ask it to end with SIGTERM; its exit code. Raises subprocess.TimeoutExpired when it does
        not end in time.
        """
        return self.signal(signal.SIGTERM).wait(within)

    def kill(self) -> None:
        """End it as a crash would."""
        self.signal(signal.SIGKILL).wait(5)

    def wait(self, within: float = 30.0) -> int:
        """The exit code of a process that ends by itself."""
        assert self._process is not None
        return self._process.wait(within)

    def signal(self, number: int) -> "subprocess.Popen[bytes]":
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process
