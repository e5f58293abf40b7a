"""A progress bar on a terminal; a line at its end anywhere else."""

import sys
import time
from types import TracebackType
from typing import Self

_WIDTH = 40


class Bar:
    """Counts `total` steps of something named by `title`."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total = title, total
        self._done, self._start = 0, time.monotonic()

    def __enter__(self) -> Self:
        self._show()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        seconds = time.monotonic() - self._start
        end = f"{self._title:12} {self._done:5} of {self._total} in {seconds:.1f} s"
        print(("\r" if sys.stdout.isatty() else "") + end.ljust(_WIDTH + 40))

    def step(self, steps: int = 1) -> None:
        """So many more are done."""
        self._done += steps
        self._show()

    def _show(self) -> None:
        if sys.stdout.isatty():
            full = _WIDTH * self._done // max(1, self._total)
            bar = "█" * full + "·" * (_WIDTH - full)
            print(f"\r{self._title:12} {bar} {self._done}/{self._total}", end="", flush=True)
