"""Many readers of the event stream in one process, as cheap as they can be:
`python -m bench.readers PORT EVENTS TOKEN,…` ends when each reader, one a token, has them all.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import cast

import uvloop

_SUBJECT, _LENGTH = b'"subject":"', 36
_STARTED = b"\nid:"
_ROUND = 50
"""How many connect at once."""


class Heard:
    """What all readers have heard: moments by the event's subject."""

    def __init__(self, wanted: int) -> None:
        self.moments: dict[bytes, list[float]] = defaultdict(list)
        self.all = asyncio.Event()
        self._left = wanted

    def note(self, subject: bytes) -> None:
        """One reader has one event."""
        self.moments[subject].append(time.time())
        self._left -= 1
        if self._left == 0:
            self.all.set()


class Reader(asyncio.Protocol):
    """One connection; `listens` is set at the first thing it is told."""

    def __init__(self, request: bytes, heard: Heard) -> None:
        self._request, self._heard, self._rest = request, heard, b""
        self.listens = asyncio.Event()

    def itself(self) -> "Reader":
        """For a loop that wants to be given a factory."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Look for subjects; the pieces may begin and end anywhere."""
        self._rest += data
        if not self.listens.is_set() and _STARTED in self._rest:
            self.listens.set()
        while (found := self._rest.find(_SUBJECT)) >= 0:
            start = found + len(_SUBJECT)
            if len(self._rest) < start + _LENGTH:
                return
            self._heard.note(self._rest[start : start + _LENGTH])
            self._rest = self._rest[start + _LENGTH :]
        self._rest = self._rest[-len(_SUBJECT) :]


async def main(port: int, events: int, tokens: Sequence[str]) -> None:
    """Connect, listen, and tell."""
    heard, loop = Heard(len(tokens) * events), asyncio.get_running_loop()
    for first in range(0, len(tokens), _ROUND):
        several = [Reader(_request(port, token), heard) for token in tokens[first : first + _ROUND]]
        for reader in several:
            await loop.create_connection(reader.itself, "127.0.0.1", port)
        await asyncio.gather(*(reader.listens.wait() for reader in several))
    _say("ready")
    await heard.all.wait()
    _say(json.dumps({subject.decode(): times for subject, times in heard.moments.items()}))


def _request(port: int, token: str) -> bytes:
    lines = ["GET /api/v1/events/stream HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"Authorization: Bearer {token}", "Accept: text/event-stream", "", ""]
    return "\r\n".join(lines).encode()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(",")))
