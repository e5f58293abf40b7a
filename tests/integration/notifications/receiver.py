"""Somebody's webhook receiver: a real HTTP server on loopback that does as it is told, by path."""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Manner:
    """How a path answers: with this status, headers and body; each byte of the body after
    `drip` seconds; only after `wait` seconds; `statuses` are for the first requests.
    """

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    drip: float = 0.0
    wait: float = 0.0
    statuses: tuple[int, ...] = ()


@dataclass(frozen=True)
class Heard:
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str
    at: float


class Listener:
    """A server that listens on loopback in a thread of its own. Use it as a context manager."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Receiver(Listener):
    """Listens over TLS when given a certificate."""

    def __init__(
        self,
        certificate: tuple[Path, Path] | None = None,
        port: int = 0,
        address: str = "127.0.0.1",
    ) -> None:
        self.manners: dict[str, Manner] = {}
        self.heard: list[Heard] = []
        self._lock = threading.Lock()
        server = (_Server6 if ":" in address else _Server)((address, port), _Handler)
        server.receiver = self
        super().__init__(server)
        self._scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self._scheme = "https"

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_port)

    def url(self, path: str, host: str = "127.0.0.1", **manner: Any) -> str:
        """The address of a path that behaves so."""
        if manner:
            self.manners[path] = Manner(**manner)
        return f"{self._scheme}://{host}:{self.port}{path}"

    def of(self, path: str) -> list[Heard]:
        """What came to a path."""
        with self._lock:
            return [heard for heard in self.heard if heard.path == path]

    def note(self, heard: Heard) -> int:
        """Keep a request; how many came to its path so far."""
        with self._lock:
            self.heard.append(heard)
            return sum(each.path == heard.path for each in self.heard)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver = self.server.receiver
        count = receiver.note(Heard(self.command, self.path, headers, body, time.monotonic()))
        self._answer(receiver.manners.get(self.path, Manner()), count)

    do_GET = do_POST = do_OPTIONS = handle_any  # noqa: N815 - the library's names

    def _answer(self, manner: Manner, count: int) -> None:
        time.sleep(manner.wait)
        told = manner.statuses
        self.send_response(told[count - 1] if count <= len(told) else manner.status)
        for name, value in manner.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(manner.body)))
        self.end_headers()
        try:
            self._write(manner)
        except OSError:
            # Whoever called has heard enough.
            self.close_connection = True

    def _write(self, manner: Manner) -> None:
        if not manner.drip:
            self.wfile.write(manner.body)
            return
        for byte in manner.body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(manner.drip)

    def log_message(self, *_: Any) -> None:
        """Nobody wants to know."""


def certificate(folder: Path, name: str) -> tuple[Path, tuple[Path, Path]]:
    """A certificate authority of one's own, and a certificate with its key, for localhost."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _signed(f"{name} authority", authority_key, None, authority_key)
    server = _signed("localhost", key, authority.subject, authority_key)
    ca_file, cert_file, key_file = (folder / f"{name}.{end}" for end in ("ca", "crt", "key"))
    ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    cert_file.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ca_file, (cert_file, key_file)


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name | None,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
