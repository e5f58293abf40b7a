"""Reads a stream as a process of its own and prints what it reads, a JSON line each."""

import eventlet

eventlet.monkey_patch()

# ruff: noqa: E402 - everything else is imported patched
import json
import sys
from datetime import datetime
from typing import Any

from chassis import logs
from chassis.stream import Place, StreamMessage, StreamReader


class PrintingJournal:
    """Keeps all it has read in memory, and begins with what it is told."""

    def __init__(self, known: dict[int, str]) -> None:
        self._read = known

    def place(self) -> Place | None:
        offset = max(self._read, default=None)
        return None if offset is None else Place(offset, self._read[offset])

    def knows(self, message: StreamMessage) -> bool:
        return self._read.get(message.offset) == message.digest

    def read(self, message: StreamMessage) -> None:
        self._read[message.offset] = message.digest
        body = message.body.decode()
        tell(offset=message.offset, body=body, key=message.key, digest=message.digest)

    def restarted(self) -> None:
        self._read = {}
        tell(restarted=True)


def tell(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def watch(reader: StreamReader) -> None:
    state = None
    while True:
        if state != (state := [reader.connected, reader.caught_up]):
            tell(connected=state[0], caught_up=state[1])
        eventlet.sleep(0.05)


def main(uri: str, stream: str, start: str, known: str) -> None:
    logs.configure("toy")
    begin: Any = int(start) if start.isdigit() else start
    if start.startswith("@"):
        begin = datetime.fromisoformat(start[1:])
    journal = PrintingJournal({int(offset): digest for offset, digest in json.loads(known).items()})
    reader = StreamReader(uri, stream, journal, begin)
    eventlet.spawn(watch, reader)
    reader.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
