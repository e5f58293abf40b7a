"""Debian's `amqp-consume` as a department runs it, its output kept in a file."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self


class AmqpConsume:
    """Prints every message of a queue on a line of its own. A context manager."""

    def __init__(self, uri: str, queue: str, environ: Mapping[str, str], output: Path) -> None:
        # The program gets each body on its input; it ends with no newline of its own.
        command = ["amqp-consume", f"--url={uri}", "-q", queue, "--", "sh", "-c", "cat; echo"]
        self._output = output
        with output.open("wb") as file:
            self._process = subprocess.Popen(command, env=dict(environ), stdout=file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def lines(self) -> list[str]:
        """What it has printed, whole lines only."""
        return [line for line in self._output.read_text().splitlines(True) if line.endswith("\n")]

    def events(self) -> list[dict[str, Any]]:
        """The printed lines as JSON."""
        assert self._process.poll() is None, "amqp-consume has ended"
        return [json.loads(line) for line in self.lines()]

    def of(self, ticket: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The events about one ticket."""
        return [event for event in self.events() if event["subject"] == ticket["id"]]
