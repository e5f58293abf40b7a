"""Load by wrk, which costs next to nothing beside what it asks: as Debian has it, with a script."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import debian
from tests.stack.clients import a_word

CONNECTIONS = 8
_SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Load:
    """One run: what was answered in how many seconds; latencies in seconds."""

    requests: int
    seconds: float
    p50: float
    p99: float

    def figures(self) -> dict[str, float]:
        """What a report keeps of it."""
        return {
            "requests/s": self.requests / self.seconds,
            "p50 ms": self.p50 * 1000,
            "p99 ms": self.p99 * 1000,
        }


class Failed(RuntimeError):
    """Not every request was answered with success."""


def get(url: str, token: str, paths: Sequence[str], seconds: float) -> Load:
    """Keep CONNECTIONS requests of these paths under way for so long; raises Failed."""
    return _run("get", url, token, paths, seconds)


def file(url: str, token: str, seconds: float) -> Load:
    """The same with new tickets, filed under keys of their own."""
    return _run("file", url, token, (), seconds)


def _run(what: str, url: str, token: str, paths: Sequence[str], seconds: float) -> Load:
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(_SCRIPT)]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.writelines(f"{path}\n" for path in paths)
        listed.flush()
        done = subprocess.run(
            ["wrk", *options, url, "--", what, token, listed.name, a_word()[:8]],
            env=debian.unpacked("wrk").environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    found = json.loads(done.stdout.partition("JSON ")[2] or "{}")
    if done.returncode or not found or found.pop("refused") + found.pop("broken"):
        raise Failed(f"{what} at {url}: {done.stdout}{done.stderr}")
    return Load(**found)
