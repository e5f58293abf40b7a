"""HTTP for services: the `@http("GET", "/things/<id>")` entrypoint and the server behind it."""

from collections.abc import Mapping
from typing import Any

import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from nameko.extensions import Entrypoint, ProviderCollector, SharedExtension
from werkzeug.wrappers import Response

from chassis import logs
from chassis.context import CALL
from chassis.errors import Unavailable
from chassis.webapp import LinliRequest, Refusal, Route, WebApp, WebOptions, behind_proxies
from chassis.webserver import HttpServer

__all__ = ["Http", "LinliRequest", "Route", "WebOptions", "WebServer", "http"]

log = logs.get("http")

# How many workers may be busy with opening streams, and how long (seconds) one may wait for that.
_STREAM_LANE, _STREAM_PATIENCE = 8, 10.0


class WebServer(ProviderCollector, SharedExtension):  # type: ignore[misc]
    """The HTTP server of a service's container; entrypoints and `mount`ed routes share it."""

    def __init__(self) -> None:
        super().__init__()
        self._routes: list[Any] = []
        self.options = WebOptions()
        self._server: HttpServer | None = None
        self._drained: Event | None = None

    def setup(self) -> None:
        workers = self.container.max_workers
        self.lanes = {False: Semaphore(workers), True: Semaphore(min(_STREAM_LANE, workers))}

    def mount(self, route: Route) -> None:
        """Answer a path without a worker; to be called while the container is set up."""
        self._routes.append(route)

    def start(self) -> None:
        if self._server is not None:
            return
        service, settings = self.container.service_cls, self.container.config["settings"]
        make = getattr(service, "web_options", WebOptions.of)
        self.options = options = make(settings)
        app: Any = WebApp([*self._providers, *self._routes], options)
        if options.proxies:
            app = behind_proxies(app, options.proxies)
        self._server = HttpServer(
            (options.host, options.port), app, options.limits, self.container.spawn_managed_thread
        )
        self._server.start()
        log.info("http_listening", port=self._server.port)

    def unregister_provider(self, provider: Any) -> None:
        self._drain()
        super().unregister_provider(provider)

    def stop(self) -> None:
        super().stop()
        if self._server is not None:
            self._server.close()

    def kill(self) -> None:
        if self._server is not None:
            self._server.close()

    def _drain(self) -> None:
        """The first to come drains, the others wait: nameko stops all entrypoints at once."""
        if self._drained is not None:
            self._drained.wait()
            return
        self._drained = Event()
        if self._server is not None:
            # Readiness says no already: a balancer that asks now and then looks elsewhere by
            # itself, before it is turned away.
            self._server.announce()
            eventlet.sleep(self.options.drain)
            self._server.drain()
            self._server.wait_until_idle()
        self._drained.send()


class Http(Entrypoint):  # type: ignore[misc]
    """`@http("POST", "/api/v1/things/<id>")`: the method takes the request and the path's values,
    and returns a werkzeug Response; what it raises becomes problem details.

    `max_body` (bytes) overrides the server's limit for this path. `stream` is for what only opens
    an endless response: after a restart all clients come back at once, so these wait longer, and in
    a lane of their own, where they are in nobody's way. `refusal` words errors for a path that has
    none of problem details.
    """

    server = WebServer()

    def __init__(
        self,
        method: str,
        path: str,
        *,
        max_body: int | None = None,
        stream: bool = False,
        refusal: Refusal | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.methods = tuple(method.split(","))
        self.path = path
        self.max_body = max_body
        self.stream = stream
        self.refusal = refusal

    def setup(self) -> None:
        self.server.register_provider(self)

    def stop(self) -> None:
        self.server.unregister_provider(self)
        super().stop()

    def span(self, _worker_ctx: Any) -> None:
        """That of the request began before there was a worker."""

    def handle(self, request: LinliRequest, values: Mapping[str, Any]) -> Response:
        """Run the method in a worker and wait for its answer; raises Unavailable when no worker is
        free in time, or the answer takes too long.
        """
        limits, lane = self.server.options.limits, self.server.lanes[self.stream]
        if not lane.acquire(timeout=_STREAM_PATIENCE if self.stream else limits.patience):
            raise Unavailable(retry_after=1)
        outcome = self._spawn(request, values, lane).wait(timeout=limits.answer)
        if outcome is None:
            raise Unavailable()
        response, failure = outcome
        if failure is not None:
            raise failure[1]
        if not isinstance(response, Response):
            raise TypeError(f"{self.method_name} returned {type(response).__name__}")
        return response

    def _spawn(self, request: LinliRequest, values: Mapping[str, Any], lane: Semaphore) -> Event:
        done = Event()

        def hand_over(_context: Any, result: Any, failure: Any) -> tuple[Any, Any]:
            lane.release()
            done.send((result, failure))
            return result, failure

        try:
            self.container.spawn_worker(
                self,
                (request,),
                dict(values),
                context_data={CALL: request.call},
                handle_result=hand_over,
            )
        except BaseException:
            lane.release()
            raise
        return done


http = Http.decorator
