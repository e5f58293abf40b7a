"""Whether a service lives and is ready, and its figures: /livez, /readyz and /metrics.

Modules register checks; a background greenthread runs them all the time, each with a time limit,
and the answers only read what it found. So they come at once, whatever the workers are doing and
however long a frozen server keeps a check waiting.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import eventlet
from eventlet.greenpool import GreenPool
from nameko.extensions import DependencyProvider
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.wrappers import Request, Response

from chassis import checks, hub_lag, logs, metrics
from chassis.consumer import consumers_of
from chassis.dead_letters import DeadLetters
from chassis.http import WebServer
from chassis.webapp import Route, WebApp, WebOptions
from chassis.webserver import HttpServer

log = logs.get("health")

# Seconds.
_EVERY, _LIMIT, _STALE = 1.0, 2.0, 10.0

Check = Callable[[], str | None]
"""Returns None when all is well, or a short reason, such as `reconnecting`; may raise and block."""


@dataclass(frozen=True)
class Result:
    """What a check found, and when (`time.monotonic()`); `reason` is None when all is well."""

    reason: str | None
    degrades: bool
    at: float


_checks: dict[str, tuple[Check, bool]] = {}
_results: dict[str, Result] = {}
_draining = False


def register(name: str, check: Check, degrades: bool = True) -> None:
    """Let `check` decide on readiness. When it fails the service is `degraded`, which still takes
    requests; with `degrades=False` it is unavailable.
    """
    _checks[name] = (check, degrades)


def start_draining() -> None:
    """Be unready from now on, for good: the process is about to end."""
    global _draining  # noqa: PLW0603 - a process drains once
    _draining = True


def readiness() -> tuple[str, Mapping[str, str]]:
    """`ready`, `degraded` or `unavailable`, and each check's result, `ok` or the reason."""
    results = {name: _current(name) for name in _checks}
    told = {name: result.reason or "ok" for name, result in results.items()}
    failed = [result for result in results.values() if result.reason]
    if _draining:
        return "unavailable", {**told, "draining": "yes"}
    if any(not result.degrades for result in failed):
        return "unavailable", told
    return ("degraded" if failed else "ready"), told


class Health(DependencyProvider):  # type: ignore[misc]
    """Answers on a port of its own (`settings.health_port`), and, but for the figures, on the
    service's HTTP port if it has one. What every service depends on is checked without being asked
    for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._server: HttpServer | None = None

    def setup(self) -> None:
        for name, check, degrades in checks.standard(self.container):
            register(name, check, degrades)
        metrics.report(
            "linli_check_failing", "1: this check of readiness fails", _failing, label="check"
        )
        web: WebServer | None = self.container.shared_extensions.get(WebServer)
        if web:
            for route in _ROUTES:
                web.mount(route)

    def start(self) -> None:
        self.container.spawn_managed_thread(_watch)
        self.container.spawn_managed_thread(hub_lag.watch)
        if queues := [queue for queue, _ in consumers_of(self.container.service_cls)]:
            watch = partial(DeadLetters(queues).watch, self.container.config["AMQP_URI"])
            self.container.spawn_managed_thread(watch)
        settings = self.container.config["settings"]
        options = WebOptions(host=settings.health_host, port=settings.health_port)
        self._server = HttpServer(
            (options.host, options.port), WebApp([*_ROUTES, _FIGURES], options), options.limits
        )
        self._server.start()
        log.info("health_listening", port=self._server.port)

    def stop(self) -> None:
        if self._server:
            self._server.close()

    kill = stop


def _watch() -> None:
    pool = GreenPool()
    while True:
        for name in list(_checks):
            pool.spawn(_run, name)
        pool.waitall()
        eventlet.sleep(_EVERY)


def _run(name: str) -> None:
    check, degrades = _checks[name]
    reason: str | None = "no_answer"
    with eventlet.Timeout(_LIMIT, False):
        try:
            reason = check()
        except Exception as error:  # noqa: BLE001 - whatever a check raises, it has failed
            # The class only: an error's text may name servers and users.
            reason = type(error).__name__
    previous = _results.get(name)
    if reason != (previous.reason if previous else None):
        log.warning("health_changed", check=name, reason=reason or "ok")
    _results[name] = Result(reason, degrades, time.monotonic())


def _current(name: str) -> Result:
    result = _results.get(name)
    if result is None:
        return Result("starting", degrades=False, at=0.0)
    if time.monotonic() - result.at > _STALE:
        return Result("no_answer", result.degrades, result.at)
    return result


def _live(_request: Request) -> Response:
    return _json(200, {"status": "alive"})


def _ready(_request: Request) -> Response:
    status, checks = readiness()
    return _json(503 if status == "unavailable" else 200, {"status": status, "checks": checks})


def _figures(_request: Request) -> Response:
    return Response(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def _failing() -> dict[str, float]:
    return {name: float(_current(name).reason is not None) for name in _checks}


def _json(status: int, body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


_ROUTES = [Route("/livez", _live), Route("/readyz", _ready)]
_FIGURES = Route("/metrics", _figures)
