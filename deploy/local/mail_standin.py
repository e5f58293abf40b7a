"""A stand-in for a mail server, for development and tests: it delivers nothing to anybody.

It speaks real SMTP on loopback, keeps what it was given in memory and lists it over HTTP, so that
one can read one's mail without an address. Every answer over HTTP says `"stand_in": true`.
`python -m deploy.local.mail_standin --smtp-port 8026 --port 8027`

    GET    /messages?to=  what was sent, to that address or to all, the newest last
    PUT    /faults        {"stage", "code", "times", "delay", "accept"}: misbehave
    DELETE /faults        behave again
"""

import argparse
import asyncio
import signal
import threading
import uuid
from collections import deque
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.standin import KEPT, Server, StandinHandler

LARGEST_MESSAGE = 1024 * 1024
STAGES = ("mail", "rcpt", "data")


@dataclass
class Fault:
    """How to misbehave for the next `times` messages.

    Answer the command of `stage` with `code` after `delay` seconds; with `accept` the message is
    kept all the same, as by a server whose answer gets lost.
    """

    stage: str = "rcpt"
    code: int = 451
    times: int = 1
    delay: float = 0.0
    accept: bool = False


class Postbox:
    """What was sent, and how to misbehave; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._fault: Fault | None = None

    def take(self, envelope: Envelope) -> None:
        """Keep a message for everybody it is for."""
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        message = message_from_bytes(raw, policy=policy.default)
        with self._lock:
            for to in envelope.rcpt_tos:
                self._messages.append({**_shown(message), "to": to, "from": envelope.mail_from})

    def sent(self, to: str | None) -> list[dict[str, Any]]:
        """The messages to an address, or all; the newest last."""
        with self._lock:
            return [
                each
                for each in self._messages
                if to is None or each["to"].casefold() == to.casefold()
            ]

    def misbehave(self, fault: Fault | None) -> None:
        """Misbehave from now on, or no longer."""
        with self._lock:
            self._fault = fault

    def fault(self, stage: str) -> Fault | None:
        """The fault that strikes at this stage, if any; it is used up by asking."""
        with self._lock:
            if self._fault is None or self._fault.stage != stage or self._fault.times <= 0:
                return None
            self._fault.times -= 1
            return self._fault


class Postman:
    """What happens at each SMTP command; aiosmtpd finds these methods by name."""

    def __init__(self, postbox: Postbox) -> None:
        self._postbox = postbox

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self._answer("mail", envelope)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._answer("rcpt", envelope)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        answer = await self._answer("data", envelope)
        if answer.startswith("250"):
            self._postbox.take(envelope)
        return answer

    async def _answer(self, stage: str, envelope: Envelope) -> str:
        fault = self._postbox.fault(stage)
        if fault is None:
            return "250 OK"
        if fault.accept:
            self._postbox.take(envelope)
        await asyncio.sleep(fault.delay)
        return f"{fault.code} as told"


class Handler(StandinHandler):
    """One request of somebody who looks at what was sent."""

    server_version = "mail-stand-in"
    postbox: Postbox

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/":
            return self.answer(200, {"name": "a stand-in for a mail server"})
        if url.path != "/messages":
            return self.answer(404, {"error": "not_found"})
        to = parse_qs(url.query).get("to", [None])[0]
        return self.answer(200, {"items": self.postbox.sent(to)})

    def do_PUT(self) -> None:
        body = self.body()
        known = {field.name for field in fields(Fault)}
        if self.path != "/faults" or not isinstance(body, dict) or not set(body) <= known:
            return self.answer(422, {"error": f"faults have {', '.join(sorted(known))}"})
        if body.get("stage", STAGES[0]) not in STAGES:
            return self.answer(422, {"error": f"stages are {', '.join(STAGES)}"})
        self.postbox.misbehave(Fault(**body))
        return self.answer(200, body)

    def do_DELETE(self) -> None:
        self.postbox.misbehave(None)
        self.answer(200, {})


class Office:
    """Both servers, bound to loopback; port 0 takes a free one. `smtp` goes to aiosmtpd's SMTP:
    TLS and authentication, for those who test them.
    """

    def __init__(self, smtp_port: int, http_port: int, **smtp: Any) -> None:
        postbox = Postbox()
        # Controller asks the port that it was given whether it is there, so 0 will not do.
        self.smtp_port = smtp_port
        self._smtp = Controller(
            Postman(postbox),
            hostname="127.0.0.1",
            port=smtp_port,
            server_hostname="mail-stand-in",
            data_size_limit=LARGEST_MESSAGE,
            **smtp,
        )
        handler = type("BoundHandler", (Handler,), {"postbox": postbox})
        self._http = Server(("127.0.0.1", http_port), handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    def open(self) -> None:
        """Serve, each in a thread of its own."""
        self._smtp.start()
        self._thread.start()

    def close(self) -> None:
        """Serve no longer."""
        self._smtp.stop()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def _shown(message: EmailMessage) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "message_id": message["Message-ID"],
        "language": message["Content-Language"],
        "subject": message["Subject"],
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
    }


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return part.get_content() if part is not None else None


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="A stand-in for a mail server.")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    office = Office(arguments.smtp_port, arguments.port)
    office.open()
    print(f"stand-in for a mail server on 127.0.0.1:{office.smtp_port}, {office.url}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
