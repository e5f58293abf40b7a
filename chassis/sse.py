"""Server-sent events: a response without end (https://html.spec.whatwg.org/multipage/server-sent-events.html).

The body is written after the worker has returned, by the connection's own greenthread: a source of
messages must not use anything that was injected into the worker. There is no queue per client; a
source reads on from its client's place whenever the client has taken what came before. A client
that takes nothing for the server's `stall` limit is cut off, and resumes with `Last-Event-ID`.
"""

import random
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from eventlet import hubs
from werkzeug.wrappers import Request, Response

from chassis import logs
from chassis.errors import Unavailable
from chassis.webserver import HttpServer

log = logs.get("sse")

# Only these end a line here; JSON may well contain other separators that Python would split at.
_LINE_END = re.compile("\r\n|\r|\n")

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent, so that neither side takes it for dead."""
RETRY_MS = 1000, 3000
"""How long a client is asked to wait before it connects again, at least and at most: not all of
them at once.
"""


@dataclass(frozen=True)
class Message:
    """One event. Without `data` a client only remembers `id` as its place in the stream."""

    id: str
    data: str = ""
    event: str = ""


class Source(Protocol):
    """Where one client's messages come from."""

    def take(self, wait: float) -> Sequence[Message] | None:
        """What is due, in order; empty after `wait` seconds without any; None when it is over."""

    def close(self) -> None:
        """Let `take` return None, from now on and to whoever is waiting in it."""


def respond(request: Request, source: Source) -> Response:
    """A stream of `source`'s messages, until the client leaves, the source ends or the server
    drains. Raises Unavailable when there are too many streams already.
    """
    server: HttpServer = request.environ["linli.server"]
    if server.draining or len(server.streams) >= server.limits.streams:
        raise Unavailable(retry_after=5)
    # eventlet would otherwise collect small writes until there are 4 KiB of them.
    request.environ["eventlet.minimum_write_chunk_size"] = 0
    frames = _frames(server, source, request.environ["linli.connection"].connection)
    response = Response(frames, content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


# Most messages go to many clients at about the same time.
@lru_cache(maxsize=1024)
def encode(message: Message) -> bytes:
    """The message as it stands in the stream."""
    lines = [f"id: {message.id}"]
    if message.event:
        lines.append(f"event: {message.event}")
    if message.data:
        lines += [f"data: {line}" for line in _LINE_END.split(message.data)]
    return ("\n".join(lines) + "\n\n").encode()


def _frames(server: HttpServer, source: Source, sock: Any) -> Iterator[bytes]:
    # Only a stream that is read from counts: a HEAD request, or a client that has left, never gets
    # here.
    server.streams.add(source)
    try:
        with closing(_Departure(sock, source.close)):
            yield f"retry: {random.randint(*RETRY_MS)}\n\n".encode()  # noqa: S311 - no secret
            while not server.draining and (messages := source.take(HEARTBEAT)) is not None:
                yield b"".join(map(encode, messages)) or b": still here\n\n"
    except Exception:
        # The headers are long gone: all that is left is to end, and let the client come back.
        log.exception("sse_source_failed")
    finally:
        server.streams.discard(source)
        source.close()


class _Departure:
    """Calls `left` once the client hangs up, which would otherwise be noticed at the next message:
    of clients that come and go often several would be here each.
    """

    def __init__(self, sock: Any, left: Callable[[], None]) -> None:
        self._sock, self._left = sock, left
        hub = hubs.get_hub()
        self._listener = hub.add(hub.READ, sock.fileno(), self._look, self._look, None)

    def close(self) -> None:
        """Look no more."""
        # Who is not let go of here waits for the garbage collector, and the client with them.
        listener, self._listener = self._listener, None
        if listener is not None:
            hubs.get_hub().remove(listener)

    def _look(self, _: object) -> None:
        # Once only: what a client says while it is told something can wait.
        self.close()
        if self._hung_up():
            self._left()

    def _hung_up(self) -> bool:
        try:
            return not self._sock.fd.recv(1, socket.MSG_PEEK)
        except OSError:
            return True
