"""What the stand-ins for providers have in common: a small JSON server on loopback."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# What is remembered, so that a long day of tests does not fill the memory.
KEPT = 10_000
LARGEST_BODY = 64 * 1024


class StandinHandler(BaseHTTPRequestHandler):
    """One request in JSON, answered in JSON."""

    protocol_version = "HTTP/1.1"
    # A client that says nothing for so long is gone.
    timeout = 30
    # Head and body go in two writes: waiting between them would cost 40 ms a message.
    disable_nagle_algorithm = True

    def body(self) -> Any:
        """The request's JSON, or None where there is none that can be read."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            return None
        try:
            return json.loads(self.rfile.read(length) or b"null")
        except ValueError:
            return None

    def answer(self, status: int, body: dict[str, Any], retry_after: int | None = None) -> None:
        """A JSON object, which says that it comes from a stand-in."""
        content = json.dumps({**body, "stand_in": True}, ensure_ascii=False).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            if retry_after is not None:
                self.send_header("Retry-After", str(retry_after))
            self.end_headers()
            self.wfile.write(content)
        except ConnectionError:
            # The client did not wait for the answer: with a fault's delay that is the point.
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Nothing is logged: the query says whose messages are looked for."""


class Server(ThreadingHTTPServer):
    """Serves each connection in a thread of its own, and says nothing of clients that hang up."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
