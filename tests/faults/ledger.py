"""What clients asked for and were told: every request of a run with every attempt at it, in memory
and as JSON lines on disk.
"""

import json
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

NO_ANSWER = 0
"""The status of an attempt that got no answer: refused, reset or timed out."""


@dataclass(frozen=True)
class Attempt:
    """One request on the wire; `took` is in seconds."""

    status: int
    took: float
    problem: str | None = None


@dataclass
class Entry:
    """One command under one Idempotency-Key. `ticket` is None for a filing until it is answered;
    `text` is what makes a filing recognisable.
    """

    key: str
    actor: str
    move: str
    ticket: str | None = None
    text: str | None = None
    solved: str | None = None
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether it was answered with success."""
        return bool(self.attempts) and 200 <= self.attempts[-1].status < 300


def is_retriable(attempt: Attempt) -> bool:
    """Whether the same request may be sent again: no answer, a 5xx, or one that still runs."""
    running = attempt.status == 409 and attempt.problem == "/problems/still_running"
    return attempt.status == NO_ANSWER or attempt.status >= 500 or attempt.status == 429 or running


def is_promised(attempt: Attempt) -> bool:
    """Whether a request that was in order may be answered so while something is broken: with what
    it asked for, not at all, or by being told to come back.
    """
    return (
        200 <= attempt.status < 300
        or attempt.status == 503
        or (attempt.status < 500 and is_retriable(attempt))
    )


class Ledger:
    """The entries of one run, in the order in which they began; safe to use from several
    threads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: list[Entry] = []
        self._lock = threading.Lock()
        self._file: IO[str] = path.open("a")

    def begin(self, entry: Entry) -> Entry:
        """Note a command before its first attempt."""
        with self._lock:
            self._entries.append(entry)
        return entry

    def note(self, entry: Entry, attempt: Attempt, answer: Mapping[str, Any]) -> None:
        """Note an attempt and what it was answered."""
        with self._lock:
            entry.attempts.append(attempt)
            if entry.done and entry.move == "filing":
                entry.ticket = answer["id"]
            line = {"at": time.time(), **vars(entry), "attempts": len(entry.attempts)}
            json.dump({**line, **vars(attempt)}, self._file, ensure_ascii=False)
            self._file.write("\n")

    def entries(self) -> list[Entry]:
        """All of them so far."""
        with self._lock:
            return list(self._entries)

    def forget_all_but(self, kept: Collection[Entry]) -> None:
        """As though nothing but these had ever been asked for."""
        with self._lock:
            self._entries = list(kept)

    def attempts(self) -> Iterator[Attempt]:
        """Every request that was sent."""
        for entry in self.entries():
            yield from entry.attempts

    def close(self) -> None:
        """Close the file."""
        self._file.close()
