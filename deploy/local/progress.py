"""Says on the terminal what is being done, with the seconds since the start."""

import time


class Progress:
    """One line per step."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        """A step that begins now, or something that happened."""
        print(f"{time.monotonic() - self._start:6.1f} s  {text}", flush=True)
