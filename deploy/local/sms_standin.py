"""A stand-in for an SMS provider, for development and tests: it sends nothing to anybody.

It speaks real HTTP on loopback as a provider would, keeps what it was given in memory and lists it,
so that one can sign in and read one's messages without a telephone. Every answer says
`"stand_in": true`. `python -m deploy.local.sms_standin --port 8025`

    POST   /messages      {"to", "text"}; bearer token LINLI_SMS_TOKEN; honours Idempotency-Key
    GET    /messages?to=  what was sent, to that number or to all, the newest last
    PUT    /faults        {"status", "times", "delay", "retry_after", "accept", "bytes"}: misbehave
    DELETE /faults        behave again
"""

import argparse
import os
import re
import sys
import threading
import time
import uuid
from collections import OrderedDict, deque
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chassis.settings import with_files
from deploy.local.standin import KEPT, Server, StandinHandler


@dataclass
class Fault:
    """How to misbehave for the next `times` messages.

    Answer with `status` after `delay` seconds, with a `Retry-After` of `retry_after` and a body of
    `bytes`; with `accept` the message is kept all the same, as by a provider that fails to say so.
    """

    status: int = 200
    times: int = 1
    delay: float = 0.0
    retry_after: int | None = None
    accept: bool = False
    bytes: int = 0


class Mailbox:
    """What was sent, and how to misbehave; safe to use from several threads."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._lock = threading.Lock()
        self._messages: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._by_key: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._fault: Fault | None = None

    def knows(self, authorization: str | None) -> bool:
        """Whether the header carries our token."""
        return authorization == f"Bearer {self._token}"

    def take(self, to: str, text: str, key: str | None) -> tuple[dict[str, Any], bool]:
        """Keep a message; the one kept before, and False, when its key was seen."""
        with self._lock:
            if key and key in self._by_key:
                return self._by_key[key], False
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            message = {"text": text, "to": to, "at": at, "id": str(uuid.uuid4())}
            self._messages.append(message)
            if key:
                self._by_key[key] = message
                while len(self._by_key) > KEPT:
                    self._by_key.popitem(last=False)
            return message, True

    def sent(self, to: str | None) -> list[dict[str, Any]]:
        """The messages to a number, however it is written, or all; the newest last."""
        with self._lock:
            return [each for each in self._messages if to is None or same(to, each["to"])]

    def misbehave(self, fault: Fault | None) -> None:
        """Misbehave from now on, or no longer."""
        with self._lock:
            self._fault = fault

    def fault(self) -> Fault | None:
        """The fault that strikes this message, if any; it is used up by asking."""
        with self._lock:
            if self._fault is None or self._fault.times <= 0:
                return None
            self._fault.times -= 1
            return self._fault


def same(one: str, other: str) -> bool:
    """Whether two writings mean the same number: `+86 138…`, `86138…` and `138…` do."""
    return _national(one) == _national(other)


def _national(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    return digits.removeprefix("86") if len(digits) == 13 else digits


class Handler(StandinHandler):
    """One request."""

    server_version = "sms-stand-in"
    mailbox: Mailbox

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/":
            return self.answer(200, {"name": "a stand-in for an SMS provider"})
        if url.path != "/messages":
            return self.answer(404, {"error": "not_found"})
        # A plus sign in a query means a space, and a number's plus is seldom escaped.
        to = parse_qs(url.query).get("to", [None])[0]
        return self.answer(200, {"items": self.mailbox.sent(to)})

    def do_POST(self) -> None:
        body = self.body()
        if self.path != "/messages":
            return self.answer(404, {"error": "not_found"})
        if not self.mailbox.knows(self.headers.get("Authorization")):
            return self.answer(401, {"error": "unauthorized"})
        if not isinstance(body, dict) or not _is_message(body):
            return self.answer(422, {"error": "a message has a number `to` and a `text`"})
        if fault := self.mailbox.fault():
            return self._misbehave(fault, body)
        return self._take(body)

    def do_PUT(self) -> None:
        body = self.body()
        known = {field.name for field in fields(Fault)}
        if self.path != "/faults" or not isinstance(body, dict) or not set(body) <= known:
            return self.answer(422, {"error": f"faults have {', '.join(sorted(known))}"})
        self.mailbox.misbehave(Fault(**body))
        return self.answer(200, body)

    def do_DELETE(self) -> None:
        self.mailbox.misbehave(None)
        self.answer(200, {})

    def _take(self, body: dict[str, str]) -> None:
        message, new = self.mailbox.take(
            body["to"], body["text"], self.headers.get("Idempotency-Key")
        )
        self.answer(201 if new else 200, {"id": message["id"]})

    def _misbehave(self, fault: Fault, body: dict[str, str]) -> None:
        if fault.accept:
            self.mailbox.take(body["to"], body["text"], self.headers.get("Idempotency-Key"))
        time.sleep(fault.delay)
        self.answer(fault.status, {"fault": "x" * fault.bytes}, fault.retry_after)


def _is_message(body: dict[str, Any]) -> bool:
    to, text = body.get("to"), body.get("text")
    return isinstance(to, str) and bool(re.search(r"\d", to)) and isinstance(text, str)


def serve(port: int, token: str, host: str = "127.0.0.1") -> Server:
    """A stand-in bound to `host`, not serving yet; port 0 takes a free one."""
    handler = type("BoundHandler", (Handler,), {"mailbox": Mailbox(token)})
    return Server((host, port), handler)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="A stand-in for an SMS provider.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="where it listens")
    given = parser.parse_args()
    token = with_files(os.environ).get("LINLI_SMS_TOKEN")
    if not token:
        sys.exit("LINLI_SMS_TOKEN must be set")
    server = serve(given.port, token, given.host)
    where = f"http://{given.host}:{server.server_port}"
    print(f"stand-in for an SMS provider on {where}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
