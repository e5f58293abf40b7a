"""A wire between a service and a server that can be made slow, or cut without either end being
told.
"""

import select
import socket
import threading
import time
from types import TracebackType
from typing import Self


class Wire:
    """Forwards connections to a port on loopback.

    `pieces`: let answers through only so many bytes at a time, each a millisecond apart, or None.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self.pieces: int | None = None
        self._cut: set[socket.socket] = set()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
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
        for sock in [self._listener, *self._open]:
            sock.close()

    def cut(self) -> None:
        """Forward nothing more of the connections that are open now; they stay open."""
        self._cut.update(self._open)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self._open += [client, server]
            for source, sink, slow in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._forward, args=(source, sink, slow), daemon=True
                ).start()

    def _forward(self, source: socket.socket, sink: socket.socket, slow: bool) -> None:
        try:
            while data := self._received(source):
                for piece in self._in_pieces(data) if slow else (data,):
                    if source not in self._cut:
                        sink.sendall(piece)
                        time.sleep(0.001 if slow and self.pieces else 0)
        except (OSError, ValueError):
            pass
        if source not in self._cut:
            sink.close()

    def _received(self, source: socket.socket) -> bytes:
        while not select.select([source], [], [], 0.2)[0]:
            pass
        return source.recv(65536)

    def _in_pieces(self, data: bytes) -> list[bytes]:
        if self.pieces is None:
            return [data]
        return [data[at : at + self.pieces] for at in range(0, len(data), self.pieces)]
