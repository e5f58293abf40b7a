"""A tiny service on chassis.http, run as a process of its own with a port and options in JSON."""

import eventlet

eventlet.monkey_patch()

# ruff: noqa: E402 - everything else is imported patched
import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from eventlet.event import Event
from marshmallow import Schema, fields
from nameko.containers import ServiceContainer
from werkzeug.wrappers import Request, Response

from chassis import health, logs, sse
from chassis.context import CurrentCall
from chassis.errors import Conflict, Unavailable
from chassis.health import Health
from chassis.http import WebOptions, http

log = logs.get("toy")


class IllegalMove(Conflict):
    """That move is not possible from there."""

    code = "illegal_move"


class Thing(Schema):
    name = fields.String(required=True)
    parts = fields.List(fields.Nested({"size": fields.Integer(required=True)}))


class ToyTexts:
    def problem(self, code: str, locale: str, params: dict[str, Any]) -> tuple[str, str] | None:
        if code == "illegal_move" and locale == "zh-CN":
            return "不能这样做", f"在 {params['from']} 时不能 {params['move']}"
        return None

    def field(self, code: str, locale: str, message: str) -> str | None:
        return "必填" if (code, locale) == ("required", "zh-CN") else None


@dataclass(eq=False)
class Counter:
    """A source that counts: one message every `pause` seconds, from where the client was."""

    place: int
    pause: float
    closed: Event = field(default_factory=Event)

    def take(self, wait: float) -> list[sse.Message] | None:
        if self.closed.wait(timeout=min(wait, self.pause)):
            return None
        if self.pause > wait:
            return []
        self.place += 1
        return [sse.Message(str(self.place), json.dumps({"n": self.place}), "counted")]

    def close(self) -> None:
        if not self.closed.ready():
            self.closed.send(True)


class Toy:
    name = "toy"
    call = CurrentCall()
    health = Health()

    @staticmethod
    def web_options(settings: Any) -> WebOptions:
        options = WebOptions.of(settings, texts=ToyTexts())
        return replace(options, limits=replace(options.limits, **settings.limits))

    @http("GET", "/things/<name>")
    def get_thing(self, _request: Request, name: str) -> Response:
        return _json({"name": name, "locale": self.call.locale, "request": self.call.request_id})

    @http("POST", "/things")
    def add_thing(self, request: Request) -> Response:
        return _json(Thing().load(request.get_json()), 201)

    @http("POST", "/echo", max_body=5 << 20)
    def echo(self, request: Request) -> Response:
        return _json({"bytes": len(request.get_data())})

    @http("GET", "/slow/<seconds>")
    def slow(self, _request: Request, seconds: str) -> Response:
        log.info("at_hand")
        eventlet.sleep(float(seconds))
        return _json({"slept": seconds})

    @http("GET", "/broken")
    def broken(self, _request: Request) -> Response:
        raise RuntimeError("the password is hunter2")

    @http("GET", "/half")
    def half(self, request: Request) -> Response:
        request.environ["eventlet.minimum_write_chunk_size"] = 0

        def pieces() -> Iterator[bytes]:
            yield b"half"
            raise RuntimeError

        return Response(pieces())

    @http("GET", "/nothing")
    def nothing(self, _request: Request) -> None:
        return None

    @http("POST", "/moves")
    def move(self, _request: Request) -> Response:
        raise IllegalMove(from_="filed", move="work", detail=None)

    @http("GET", "/away")
    def away(self, _request: Request) -> Response:
        raise Unavailable(retry_after=0.2)

    @http("GET", "/context")
    def context(self, _request: Request) -> Response:
        call = self.call
        return _json({"repr": repr(call), "traceparent": call.traceparent})

    @http("GET", "/stream", stream=True)
    def stream(self, request: Request) -> Response:
        place = int(request.headers.get("Last-Event-ID", 0))
        return sse.respond(request, Counter(place, float(request.args.get("pause", 0.1))))

    @http("GET", "/flood", stream=True)
    def flood(self, request: Request) -> Response:
        return sse.respond(request, Flood())


class Flood(Counter):
    """Sends as fast as its client takes."""

    def __init__(self) -> None:
        super().__init__(0, 0)

    def take(self, _wait: float) -> list[sse.Message] | None:
        self.place += 1
        return None if self.closed.ready() else [sse.Message(str(self.place), "x" * 65536)]


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


def main(port: str, options: str = "{}") -> None:
    told = json.loads(options)
    if "heartbeat" in told:
        sse.HEARTBEAT = told["heartbeat"]
    checks = told.get("checks", {})
    for name, (kind, degrades) in checks.items():
        health.register(name, _CHECKS[kind], degrades=degrades)
    logs.configure("toy")
    settings = SimpleNamespace(
        http_host="127.0.0.1",
        http_port=int(port),
        health_host="127.0.0.1",
        health_port=0,
        cors_origins=told.get("cors_origins", ()),
        proxies=told.get("proxies", 0),
        drain=told.get("drain", 0.0),
        limits=told.get("limits", {}),
    )
    config = {"settings": settings, "max_workers": told.get("workers", 10)}
    container = ServiceContainer(Toy, config)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    container.start()
    while not stopping:
        eventlet.sleep(0.05)
    health.start_draining()
    with eventlet.Timeout(8):
        container.stop()
    os._exit(0)


_CHECKS = {
    "ok": lambda: None,
    "bad": lambda: "reconnecting",
    "hangs": lambda: eventlet.sleep(3600),
    "raises": lambda: 1 / 0,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
