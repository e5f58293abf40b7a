"""What happens on one HTTP connection: a time limit on a request's head, clear framing, refusals in
our words.

eventlet's WSGI server underneath does the parsing; what it answers by itself in plain text, and
what it would wait for without end, is taken over here.
"""

import socket
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from typing import Any

import eventlet
from eventlet import wsgi
from werkzeug.wrappers import Response

from chassis import logs

log = logs.get("http")

# The parser is one for e-mail and finds fault with the missing body of every multipart, too.
_BROKEN_HEADERS = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)
# Seconds.
_LINGER = 2.0


class HttpProtocol(wsgi.HttpProtocol):  # type: ignore[misc]
    """One connection: a time limit on the whole of a request's head, and our words for refusals."""

    _deadline: eventlet.Timeout | None = None

    def handle_one_request(self) -> None:
        self.conn_state.answering = False
        try:
            super().handle_one_request()
        finally:
            self._forget_deadline()
            self.conn_state.answering = False

    def _read_request_line(self) -> bytes:
        if self.rfile.closed or not self.rfile.peek(1):
            return b""
        # Silence has its own, shorter-lived limit; this one stops a client that sends a byte now
        # and then.
        limits = self.server.limits
        self._deadline = eventlet.Timeout(limits.head, TimeoutError())
        try:
            line: bytes = super()._read_request_line()
        except TimeoutError:
            self.send_error(408)
            return b""
        if len(line) >= self.server.url_length_limit:
            self.send_error(414)
            return b""
        return line

    def parse_request(self) -> bool:
        try:
            return bool(super().parse_request()) and self._framed()
        except (wsgi.HeaderLineTooLong, wsgi.HeadersTooLarge):
            self.send_error(431)
        except TimeoutError:
            self.send_error(408)
        finally:
            self._forget_deadline()
        return False

    def _framed(self) -> bool:
        """Whether it is clear where the request ends; if not, two servers may read it otherwise."""
        lengths = set(self.headers.get_all("content-length", ()))
        hosts = self.headers.get_all("host", ())
        if self.headers.get("transfer-encoding"):
            # A body of unknown length: it could be of any.
            self.send_error(400 if lengths else 411)
        elif (
            len(lengths) > 1
            or not all(length.isascii() and length.isdigit() for length in lengths)
            or any(isinstance(defect, _BROKEN_HEADERS) for defect in self.headers.defects)
            or self.request_version == "HTTP/0.9"
            or len(hosts) > 1
            or (not hosts and self.request_version == "HTTP/1.1")
        ):
            self.send_error(400)
        else:
            return True
        return False

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in our words instead of Python's HTML; the connection ends."""
        self.close_connection = 1
        self.conn_state.unread_input = True
        self.wfile.write(raw(self.server.app.refusal(int(code))))

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        # eventlet makes up text/plain for a request that names no type.
        environ["CONTENT_TYPE"] = self.headers.get("content-type", "")
        environ["linli.server"] = self.server.http_server
        environ["linli.connection"] = self
        return environ

    def close_after_answer(self) -> None:
        """The request's body was not read, so nothing after it can be."""
        self.close_connection = 1
        self.conn_state.unread_input = True

    def finish(self) -> None:
        try:
            self.wfile.flush()
            if self.conn_state.unread_input:
                linger(self.connection)
        except OSError:
            log.debug("http_client_gone")
        finally:
            # The socket stays open as long as either of its files does, and `wfile.close` would
            # try to flush again.
            self.wfile.detach().close()
            self.rfile.close()
            self.connection.close()
            self._let_go()

    def _let_go(self) -> None:
        """Leave no circle of a request, its environment and this: with their buffers they would
        wait for the garbage collector.
        """
        # There is none of a connection on which nothing came.
        environ = self.__dict__.pop("environ", {})
        environ.pop("werkzeug.request", None)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def raw(response: Response) -> bytes:
    """The response as it stands on the wire, for answers given before there is a request."""
    head = [f"HTTP/1.1 {response.status}"]
    head += [f"{name}: {value}" for name, value in response.headers.items()]
    head += ["Connection: close", "", ""]
    return "\r\n".join(head).encode("latin-1") + response.get_data()


def linger(sock: Any) -> None:
    """Let the client read our answer: closing with input unread resets the connection under it."""
    sock.shutdown(socket.SHUT_WR)
    with eventlet.Timeout(_LINGER, False):
        while sock.recv(65536):
            pass
