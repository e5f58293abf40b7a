"""The WSGI application around every answer: limits, a request id, the language, one access log
line, security headers, and problem details for whatever goes wrong.

Of a request's headers only those named here reach the call's context.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any
from urllib.parse import unquote_to_bytes

import eventlet
from eventlet.semaphore import Semaphore
from werkzeug.exceptions import (
    BadRequest,
    ClientDisconnected,
    HTTPException,
    MethodNotAllowed,
    RequestEntityTooLarge,
    RequestTimeout,
    default_exceptions,
)
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from chassis import logs, metrics, problems, trace
from chassis.call import Call
from chassis.errors import Unavailable
from chassis.http_headers import SECURITY, dress
from chassis.ids import new_id
from chassis.webserver import Limits

log = logs.get("http")

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class WebOptions:
    """How a service is served. A service class may define `web_options(settings) -> WebOptions`.

    `cors_origins` may read answers from other sites' pages; `proxies` is how many reverse proxies
    stand before us, whose X-Forwarded-For and -Proto are believed. `drain` is for how many seconds
    it goes on taking requests once it is told to stop.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    texts: problems.Texts = field(default_factory=problems.NoTexts)
    cors_origins: tuple[str, ...] = ()
    proxies: int = 0
    drain: float = 0.0
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(cls, settings: Any, **changes: Any) -> "WebOptions":
        """The options that a service's settings carry (`http_host`, `http_port`, `cors_origins`,
        `proxies`, `drain`), and `changes` on top.
        """
        named = {"host": "http_host", "port": "http_port"}
        named |= dict.fromkeys(("cors_origins", "proxies", "drain"), "")
        told = {
            option: getattr(settings, name or option)
            for option, name in named.items()
            if hasattr(settings, name or option)
        }
        return cls(**(told | changes))


class LinliRequest(Request):
    """werkzeug's request, with what was made out about it before the method is called."""

    call: Call
    rule: Any = None
    span = trace.NOBODYS

    @property
    def locale(self) -> str:
        """The language to answer in."""
        return self.call.locale

    @property
    def request_id(self) -> str:
        """What the answer and every log line of this request carry."""
        return self.call.request_id

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        """What is uploaded may be personal: it never lies in a temporary file."""
        return BytesIO()


Refusal = Callable[[Exception, LinliRequest], Response]


@dataclass(frozen=True)
class Route:
    """A path that is answered in the connection's own greenthread: no worker, no dependencies."""

    path: str
    answer: Callable[[LinliRequest], Response]
    methods: tuple[str, ...] = ("GET",)
    max_body: int | None = None

    def handle(self, request: LinliRequest, _values: Mapping[str, Any]) -> Response:
        return self.answer(request)


class WebApp:
    """The WSGI application: finds the route and wraps its answer."""

    def __init__(self, routes: list[Any], options: WebOptions) -> None:
        self._options = options
        self._large = Semaphore(options.limits.large_bodies)
        rules = [Rule(route.path, methods=route.methods, endpoint=route) for route in routes]
        self._rules = Map(rules, merge_slashes=False)
        # `/tickets/<id>` would match `/tickets/call-list` as well, with methods of its own.
        self._own_methods: dict[str, set[str]] = {}
        for rule in rules:
            if not rule.arguments:
                self._own_methods.setdefault(rule.rule, set()).update(rule.methods or ())

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        started = time.monotonic()
        request = LinliRequest(environ)
        request.call = _call(request)
        try:
            response = self._answer(request)
            _tell(request.span, response.status_code)
        finally:
            request.span.end()
        dress(request, response, request.request_id, self._options.cors_origins)
        if response.status_code >= 400 and not _was_read(request):
            environ["linli.connection"].close_after_answer()
        if not isinstance(request.rule, Route):
            metrics.count_request(getattr(request.rule, "method_name", None), response.status_code)
        write = log.debug if isinstance(request.rule, Route) else log.info
        write(
            "http_request",
            method=request.method if request.method.isalpha() else None,
            route=request.rule.path if request.rule else None,
            status=response.status_code,
            ms=round((time.monotonic() - started) * 1000, 1),
            request_id=request.request_id,
            trace_id=trace.id_of(request.call.traceparent),
        )
        return response(environ, start_response)

    def refusal(self, status: int) -> Response:
        """What to say when there is no request to speak of; see `webserver.App`."""
        exception = default_exceptions.get(status, BadRequest)()
        request_id = str(new_id())
        log.info("http_refused", status=status, request_id=request_id)
        metrics.count_request(None, status)
        response = problems.respond(exception, request_id, problems.LOCALES[0], self._options.texts)
        response.headers.update(SECURITY)
        response.headers["X-Request-Id"] = request_id
        return response

    def _answer(self, request: LinliRequest) -> Response:
        try:
            route, values = self._match(request)
            _check_url(request)
            with self._room(request, route):
                self._read_body(request)
                response: Response = route.handle(request, values)
            return response
        except HTTPException as error:
            return self._http_exception(request, error)
        except Exception as error:  # noqa: BLE001 - the last resort; it is logged, the client told 500
            return self._problem(request, error)

    def _match(self, request: LinliRequest) -> tuple[Any, Mapping[str, Any]]:
        route, values = self._rules.bind_to_environ(request.environ).match()
        own = self._own_methods.get(request.path)
        if own is not None and request.method not in own:
            raise MethodNotAllowed(valid_methods=own)
        request.rule = route
        if not isinstance(route, Route):
            _begin_span(request, route.path)
        return route, values

    @contextmanager
    def _room(self, request: LinliRequest, route: Any) -> Iterator[None]:
        """Bodies are in memory as long as they are needed, before anybody knows whose they are: a
        few large ones at a time.
        """
        length, usual = request.content_length or 0, self._options.limits.body_bytes
        if length > (route.max_body or usual):
            raise RequestEntityTooLarge()
        large = length > usual
        if large and not self._large.acquire(blocking=False):
            raise Unavailable(retry_after=1)
        try:
            yield
        finally:
            if large:
                self._large.release()

    def _read_body(self, request: LinliRequest) -> None:
        """Read all of it before a worker is asked for: a slow sender shall hold no worker."""
        limits = self._options.limits
        try:
            with eventlet.Timeout(limits.body, RequestTimeout()):
                request.get_data(cache=True)
        except ClientDisconnected as error:
            if isinstance(error.__context__, TimeoutError):
                raise RequestTimeout() from None
            raise
        request.environ["linli.connection"].conn_state.answering = True

    def _http_exception(self, request: LinliRequest, error: HTTPException) -> Response:
        if isinstance(error, MethodNotAllowed) and request.method == "OPTIONS":
            return Response(status=204, headers={"Allow": self._allowed(request, error)})
        if error.code is not None and error.code < 400:
            return Response(status=error.code, headers=error.get_headers(request.environ))
        response = self._refusal(request, error)
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = self._allowed(request, error)
        return response

    def _allowed(self, request: LinliRequest, error: MethodNotAllowed) -> str:
        own = self._own_methods.get(request.path) or error.valid_methods or ()
        return ", ".join(sorted({*own, "OPTIONS"}))

    def _problem(self, request: LinliRequest, error: Exception) -> Response:
        response = self._refusal(request, error)
        if response.status_code == 500:
            log.error("http_failed", exc_info=error, request_id=request.request_id)
        return response

    def _refusal(self, request: LinliRequest, error: Exception) -> Response:
        own: Refusal | None = getattr(request.rule, "refusal", None)
        if own is not None:
            return own(error, request)
        return problems.respond(error, request.request_id, request.locale, self._options.texts)


def _call(request: LinliRequest) -> Call:
    """The context of the request. Nothing else of its headers travels on."""
    request_id = request.headers.get("X-Request-Id", "")
    traceparent = request.headers.get("traceparent", "")
    return Call(
        request_id=request_id if _REQUEST_ID.fullmatch(request_id) else str(new_id()),
        traceparent=traceparent if trace.valid(traceparent) else "",
        locale=problems.locale_of(request.headers.get("Accept-Language")),
    )


def _begin_span(request: LinliRequest, path: str) -> None:
    """The request's, once it has a route, which names it: a URL holds ids, and what is looked for.
    A stranger who tries paths leaves no spans.
    """
    described = {"http.request.method": request.method, "http.route": path}
    name, parent = f"{request.method} {path}", request.call.traceparent
    request.span = trace.span(name, trace.SERVER, parent, described)
    request.call = request.call.under(request.span.traceparent)


def _tell(span: trace.Span, status: int) -> None:
    span.tell({"http.response.status_code": status})
    if status >= 500:
        span.fail(str(status))


def _check_url(request: LinliRequest) -> None:
    """No text of ours contains NUL, and PostgreSQL would refuse it as an error of ours."""
    url = request.environ["RAW_PATH_INFO"] + request.environ.get("QUERY_STRING", "")
    if b"\0" in unquote_to_bytes(url):
        raise BadRequest()


def _was_read(request: LinliRequest) -> bool:
    source = request.environ["eventlet.input"]
    return bool(source.position >= (source.content_length or 0))


def behind_proxies(app: WebApp, proxies: int) -> Any:
    wrapped = ProxyFix(app, x_for=proxies, x_proto=proxies, x_host=0)
    wrapped.refusal = app.refusal  # type: ignore[attr-defined]
    return wrapped
