"""Driving the toy service with bare sockets, which can misbehave as no HTTP library would."""

import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from chassis.testing import eventually

ROOT = Path(__file__).parents[3]
_TOY = [sys.executable, "-W", "ignore", "-m", "tests.integration.chassis.http_toy"]


@dataclass
class Answer:
    """What came back on a connection until `Content-Length` was satisfied, or until it closed."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One TCP connection."""

    def __init__(self, port: int, timeout: float = 20.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes | str) -> Self:
        self.socket.sendall(data.encode() if isinstance(data, str) else data)
        return self

    def request(
        self, method: str, path: str, body: bytes = b"", /, **headers: str | None
    ) -> Answer:
        """Send a proper request and read its answer; header names use underscores for dashes."""
        named = {"Host": "toy", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if body:
            named.setdefault("Content-Length", str(len(body)))
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in named.items() if value is not None]
        self.send("\r\n".join([*lines, "", ""]).encode() + body)
        return self.answer(bodyless=method == "HEAD")

    def answer(self, bodyless: bool = False) -> Answer:
        while b"\r\n\r\n" not in self._received:
            self._more()
        head, _, rest = self._received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(": ")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        length = 0 if bodyless else int(headers.get("Content-Length", 0))
        while len(rest) < length:
            self._received = b""
            self._more()
            rest += self._received
        self._received = rest[length:]
        return Answer(int(status.split()[1]), headers, rest[:length])

    def read_some(self) -> bytes:
        """What is there, waiting for at least one byte; empty when the other side has closed."""
        data, self._received = self._received, b""
        return data or self.socket.recv(65536)

    def read_until(self, part: bytes, within: float = 5.0) -> bytes:
        """Everything up to `part` and what came with it."""
        got, started = b"", time.monotonic()
        while part not in got:
            assert time.monotonic() - started < within, got
            got += self.read_some()
        return got

    def drip(self, data: bytes | str, pause: float = 0.05) -> Self:
        """Send a byte at a time."""
        for byte in data.encode() if isinstance(data, str) else data:
            self.send(bytes([byte]))
            time.sleep(pause)
        return self

    def closed_within(self, seconds: float) -> float:
        """Read on until the other side closes; how long that took. Raises TimeoutError."""
        started = time.monotonic()
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return time.monotonic() - started

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self._received += data


@dataclass
class ToyProcess:
    """The toy service as a process; leaving the block kills it."""

    port: int
    log_path: Path
    options: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._log = self.log_path.open("w")
        self.process = subprocess.Popen(
            [*_TOY, str(self.port), json.dumps(self.options)],
            cwd=ROOT,
            stderr=self._log,
        )
        try:
            eventually(self._answers, within=20)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()

    def client(self, timeout: float = 20.0) -> Client:
        return Client(self.port, timeout)

    def get(self, path: str, /, **headers: str | None) -> Answer:
        with self.client() as client:
            return client.request("GET", path, **headers)

    def has_at_hand(self, requests: int) -> None:
        """Wait until so many of the requests that take their time have come."""
        eventually(lambda: [line["event"] for line in self.log_lines].count("at_hand") >= requests)

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        lines = self.log_path.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log_path.read_text()
        try:
            return self.get("/livez").status == 200
        except OSError:
            return False
