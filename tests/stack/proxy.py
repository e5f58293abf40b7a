"""A TCP proxy that makes a network bad, with the names of Toxiproxy: `latency`, `bandwidth`,
`timeout`, `reset_peer`, `slicer`, each upstream (towards the server), downstream, or both.

What is done holds for the connections that are open and for those to come, until it is taken back.
A `timeout` one way only is a one-way cut.
"""

import contextlib
import queue
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

UPSTREAM, DOWNSTREAM = "upstream", "downstream"
BOTH = (UPSTREAM, DOWNSTREAM)
_CHUNK, _CHUNKS = 16 * 1024, 256
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Toxic:
    """One thing that is wrong with the network, in these directions."""

    streams: Sequence[str] = BOTH


@dataclass(frozen=True, kw_only=True)
class Latency(Toxic):
    """Everything comes later; seconds."""

    latency: float
    jitter: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Bandwidth(Toxic):
    """So many kilobytes a second go through."""

    rate: float


@dataclass(frozen=True, kw_only=True)
class Slicer(Toxic):
    """Data comes in small pieces: bytes, give or take, and the seconds between them."""

    average_size: int
    size_variation: int = 0
    delay: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Timeout(Toxic):
    """Nothing goes through, and neither end is told; connections that this has happened to are
    closed after `timeout` seconds, or when it is taken back if that is 0.
    """

    timeout: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ResetPeer(Toxic):
    """Connections are reset at both ends, with what was under way, `timeout` seconds after the
    first data.
    """

    timeout: float = 0.0


class Proxy:
    """Forwards connections to ports on loopback: the first that takes them, beginning with another
    one each time. A context manager.
    """

    def __init__(self, *targets: int, chance: random.Random | None = None) -> None:
        self.targets = targets
        self._chance = chance or random.Random(0)
        self._toxics: tuple[Toxic, ...] = ()
        self._links: list[_Link] = []
        self._turn = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        # Else a thread that waits in accept would keep the port open.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._links:
            link.close()

    @contextlib.contextmanager
    def having(self, *toxics: Toxic) -> Iterator[None]:
        """With these toxics meanwhile."""
        before, self._toxics = self._toxics, (*self._toxics, *toxics)
        try:
            yield
        finally:
            self._toxics = before
            for link in self._links:
                link.recover()

    def cut(self) -> None:
        """Forward nothing more of the connections that are open now; they stay open."""
        for link in self._links:
            link.cut = True

    def reset(self) -> int:
        """Reset the connections that are open now, wherever they are; how many they were."""
        open_ = [link for link in self._links if not link.closed]
        for link in open_:
            link.reset()
        return len(open_)

    def toxics(self, stream: str) -> list[Toxic]:
        """What holds in a direction now."""
        return [toxic for toxic in self._toxics if stream in toxic.streams]

    def sizes(self, slicer: Slicer) -> Iterator[int]:
        """How large the next pieces are."""
        while True:
            spread = self._chance.randint(-slicer.size_variation, slicer.size_variation)
            yield max(1, slicer.average_size + spread)

    def late(self, toxic: Latency) -> float:
        """How much later the next data comes; seconds."""
        return toxic.latency + self._chance.uniform(-toxic.jitter, toxic.jitter)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._links = [link for link in self._links if not link.closed]
            if server := self._connected():
                link = _Link(self, client, server)
                # Known before it forwards anything: whatever is taken back is so for it, too.
                self._links.append(link)
                link.start()
            else:
                client.close()

    def _connected(self) -> socket.socket | None:
        self._turn += 1
        for number in range(len(self.targets)):
            target = self.targets[(self._turn + number) % len(self.targets)]
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", target), timeout=None)
        return None


class _Link:
    """One connection, with a reader and a writer each way."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.cut = self.closed = False
        self._holed = False
        self._proxy = proxy
        self._ends = (client, server)

    def start(self) -> None:
        """Forward from now on."""
        client, server = self._ends
        for end in self._ends:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for stream, source, sink in ((UPSTREAM, client, server), (DOWNSTREAM, server, client)):
            _Pipe(self._proxy, self, stream, source, sink).start()

    def close(self) -> None:
        """End it for both sides."""
        self.closed = True
        for end in self._ends:
            # A thread that waits for it notices a shutdown, not a close.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def reset(self) -> None:
        """End it as a host that has lost its memory would."""
        self.closed = True
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                # Wakes who reads from it, and says nothing to the other side.
                end.shutdown(socket.SHUT_RD)
            end.close()

    def lose(self) -> None:
        """Something of it was not forwarded: what came after it would make no sense."""
        self._holed = True

    def recover(self) -> None:
        """Whatever was done to the network is over."""
        if self._holed:
            self.close()


class _Pipe:
    """One direction of a connection."""

    def __init__(
        self, proxy: Proxy, link: _Link, stream: str, source: socket.socket, sink: socket.socket
    ) -> None:
        self._proxy, self._link, self._stream = proxy, link, stream
        self._source, self._sink = source, sink
        self._waiting: queue.Queue[tuple[float, bytes]] = queue.Queue(_CHUNKS)

    def start(self) -> None:
        """From now on."""
        for work in (self._read, self._write):
            threading.Thread(target=work, daemon=True).start()

    def _read(self) -> None:
        data = b"-"
        while data:
            try:
                data = self._source.recv(_CHUNK)
            except OSError:
                data = b""
            self._waiting.put((time.monotonic(), data))

    def _write(self) -> None:
        try:
            while (taken := self._waiting.get())[1]:
                self._pass_on(*taken)
            if not self._link.cut:
                self._link.close()
        except OSError:
            self._link.close()
            # The reader must not wait for a place in a queue that nobody empties.
            while self._waiting.get()[1]:
                pass

    def _pass_on(self, at: float, data: bytes) -> None:
        toxics = self._proxy.toxics(self._stream)
        for toxic in toxics:
            if isinstance(toxic, Latency):
                time.sleep(max(0.0, at + self._proxy.late(toxic) - time.monotonic()))
        for piece, delay in self._pieces(data, toxics):
            for toxic in toxics:
                self._harm(toxic, len(piece))
            if self._link.cut or _swallow(toxics):
                self._link.lose()
                if not self._link.cut and not _swallow(self._proxy.toxics(self._stream)):
                    # It was taken back meanwhile, and who did so could not know of this loss.
                    self._link.recover()
            else:
                self._sink.sendall(piece)
            time.sleep(delay)

    def _harm(self, toxic: Toxic, size: int) -> None:
        if isinstance(toxic, Bandwidth):
            time.sleep(size / (toxic.rate * 1000))
        elif isinstance(toxic, ResetPeer):
            time.sleep(toxic.timeout)
            self._link.reset()
        elif isinstance(toxic, Timeout) and toxic.timeout:
            time.sleep(toxic.timeout)
            self._link.close()

    def _pieces(self, data: bytes, toxics: Sequence[Toxic]) -> Iterator[tuple[bytes, float]]:
        slicer = next((toxic for toxic in toxics if isinstance(toxic, Slicer)), None)
        if slicer is None:
            yield data, 0.0
            return
        sizes = self._proxy.sizes(slicer)
        while data:
            size = next(sizes)
            yield data[:size], slicer.delay
            data = data[size:]


def _swallow(toxics: Sequence[Toxic]) -> bool:
    """Whether nothing goes through."""
    return any(isinstance(toxic, Timeout) for toxic in toxics)
