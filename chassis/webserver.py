"""The sockets under HTTP: accepting, limits on what a client may take, and going away politely."""

import resource
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import eventlet
from eventlet import wsgi
from werkzeug.wrappers import Response

from chassis import logs
from chassis.http_protocol import HttpProtocol, linger, raw

log = logs.get("http")

_BACKLOG = 512
# Connections beyond the cap that are told so, rather than just closed.
_REFUSALS = 50
# What else a process has open: databases, the broker, logs.
_OTHER_FILES = 250
# Seconds.
_KEEP_ALIVE_GRACE, _HALF_SENT_GRACE = 0.3, 2.0


@dataclass(frozen=True)
class Limits:
    """What clients may take. `body_bytes` is what a body may have where no more is allowed, and
    `large_bodies` how many that have more are read at a time. `stall` is the longest
    silence within a request or a response, `head` and `body` what both parts of a request may take
    in all, `patience` the wait for a worker, `answer` the wait for its answer; seconds and bytes.
    """

    connections: int = 2000
    streams: int = 1500
    stall: float = 10.0
    head: float = 10.0
    body: float = 30.0
    body_bytes: int = 1 << 20
    large_bodies: int = 8
    patience: float = 0.5
    answer: float = 10.0


class App(Protocol):
    """A WSGI application that also words what the server itself has to refuse."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any: ...

    def refusal(self, status: int) -> Response: ...


class Connection(list[Any]):
    """eventlet's `[address, socket, state]`, and how far the request on it has come."""

    answering = False
    unread_input = False


class HttpServer:
    """Serves `app` at `address` with a greenthread per connection until it is drained."""

    def __init__(
        self,
        address: tuple[str, int],
        app: App,
        limits: Limits,
        spawn: Callable[..., Any] = eventlet.spawn,
    ) -> None:
        self.limits = limits
        self.draining = False
        self.streams: set[Stream] = set()
        self._app = app
        self._spawn = spawn
        self._acceptor: Any = None
        self._open: dict[int, Connection] = {}
        self._most = affordable(limits.connections)
        # Two processes must not share a port by accident, as eventlet's default would let them.
        self._listener = eventlet.listen(address, backlog=_BACKLOG, reuse_port=False)
        self._wsgi = self._parser(app)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._wsgi.address[1])

    def start(self) -> None:
        """Begin to accept."""
        self._acceptor = self._spawn(self._accept)

    def announce(self) -> None:
        """Go on serving, and let every answer end its connection."""
        self._wsgi.keepalive = False

    def drain(self) -> None:
        """Stop accepting at once, end streams, and answer what is under way with `close`."""
        if self.draining:
            return
        self.draining = True
        self.announce()
        if self._acceptor is not None:
            self._acceptor.kill()
        for sock, address in self._waiting():
            self._admit(sock, address)
        self._listener.close()
        for stream in list(self.streams):
            stream.close()
        log.info("http_draining", connections=len(self._open))

    def wait_until_idle(self) -> None:
        """Wait until what was under way is answered; callers bound the time this takes.

        A client that keeps its connection may be about to use it, so it gets a moment; one that
        has sent half a request gets a little longer.
        """
        started = time.monotonic()
        while self._open:
            waited = time.monotonic() - started
            for connection in list(self._open.values()):
                idle = connection[2] == wsgi.STATE_IDLE
                grace = _KEEP_ALIVE_GRACE if idle else _HALF_SENT_GRACE
                if not connection.answering and waited > grace:
                    _cut(connection)
            eventlet.sleep(0.02)

    def close(self) -> None:
        """Close everything without waiting for anyone."""
        self.drain()
        for connection in list(self._open.values()):
            _cut(connection)

    def _parser(self, app: App) -> wsgi.Server:
        server = wsgi.Server(
            self._listener,
            self._listener.getsockname(),
            app,
            protocol=HttpProtocol,
            log_output=False,
            debug=False,
            keepalive=self.limits.stall,
            socket_timeout=self.limits.stall,
        )
        # Where the protocol finds them.
        server.limits, server.http_server = self.limits, self
        return server

    def _accept(self) -> None:
        while not self.draining:
            try:
                sock, address = self._listener.accept()
            except OSError:
                # Out of file descriptors, most likely: let connections end before trying again.
                log.exception("http_accept_failed")
                eventlet.sleep(0.2)
            else:
                self._admit(sock, address)

    def _waiting(self) -> Iterator[tuple[Any, Any]]:
        """Connections the kernel has accepted for us: closing the listener would reset them."""
        self._listener.settimeout(0)
        while True:
            try:
                yield self._listener.accept()
            except OSError:
                return

    def _admit(self, sock: Any, address: Any) -> None:
        if len(self._open) >= self._most + _REFUSALS:
            sock.close()
            return
        serve = self._refuse if len(self._open) >= self._most else self._serve
        sock.settimeout(self.limits.stall)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection([address, sock, wsgi.STATE_IDLE])
        self._open[id(connection)] = connection
        self._spawn(lambda: self._run(serve, connection))

    def _run(self, serve: Callable[[Connection], None], connection: Connection) -> None:
        try:
            serve(connection)
        except OSError:
            log.debug("http_connection_lost")
        except Exception:
            # In a managed thread an exception would end the whole service.
            log.exception("http_connection_failed")
        finally:
            self._open.pop(id(connection), None)
            connection[1].close()

    def _serve(self, connection: Connection) -> None:
        self._wsgi.process_request(connection)

    def _refuse(self, connection: Connection) -> None:
        connection[1].sendall(raw(self._app.refusal(503)))
        linger(connection[1])


class Stream(Protocol):
    """An endless response, which has to be told when the server goes away."""

    def close(self) -> None: ...


def affordable(connections: int) -> int:
    """As many of so many connections as there may be open files for, with the process's limit
    raised as far as it goes: databases and brokers need theirs, too.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _REFUSALS + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(connections, soft - _REFUSALS - _OTHER_FILES)


def _cut(connection: Connection) -> None:
    connection[2] = wsgi.STATE_CLOSE
    try:
        connection[1].shutdown(socket.SHUT_RDWR)
    except OSError:
        return
