"""A stranger to whom spans are sent: a real HTTP server on loopback that reads OTLP with
OpenTelemetry's own protobuf classes, and can be slow or unwilling.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2


@dataclass(frozen=True)
class Span:
    """What arrived: ids are hexadecimal, `parent` empty at the root, `begun` in seconds."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    begun: float
    milliseconds: float
    failed: bool
    attributes: Mapping[str, Any]


class Collector:
    """Takes spans while it is a context manager's block; `headers` and `bodies` are what came.
    While not `willing` it answers nobody; any `status` but 200 says that it took nothing.
    """

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[bytes] = []
        self.status = 200
        self.willing = threading.Event()
        self.willing.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.willing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def spans(self, trace: str | None = None) -> list[Span]:
        """All that arrived, or those of a trace, in the order in which they began."""
        found = [span for span in list(self._spans) if trace in (None, span.trace)]
        return sorted(found, key=lambda span: span.begun)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.headers.append(dict(self.headers))
                collector.bodies.append(body)
                collector.willing.wait()
                if collector.status == 200:
                    collector._spans += _read(body) if self.path == "/v1/traces" else []
                with suppress(ConnectionError):  # of somebody who did not wait
                    self._answer(ExportTraceServiceResponse().SerializeToString())

            def _answer(self, body: bytes) -> None:
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        return Handler


def roots(spans: Sequence[Span]) -> list[Span]:
    """Those without a parent."""
    return [span for span in spans if not span.parent]


def orphans(spans: Sequence[Span]) -> list[Span]:
    """Those whose parent is not among them, in the same trace."""
    known = {(span.trace, span.id) for span in spans}
    return [span for span in spans if span.parent and (span.trace, span.parent) not in known]


def whole(spans: Sequence[Span]) -> bool:
    """Whether none lacks its parent, nor a call the side that answered it: processes send theirs
    each in their own time.
    """
    parents = {span.parent for span in spans}
    calls = [span for span in spans if span.kind == "CLIENT" and "rpc.method" in span.attributes]
    return not orphans(spans) and all(call.id in parents for call in calls)


def walk(spans: Sequence[Span]) -> Iterator[tuple[int, Span]]:
    """The spans of a tree from its root, each with how deep it is."""
    below: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        below[span.parent].append(span)

    def descend(parent: str, depth: int) -> Iterator[tuple[int, Span]]:
        for span in below[parent]:
            yield depth, span
            yield from descend(span.id, depth + 1)

    return descend("", 0)


def _read(body: bytes) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        _span(_values(resource.resource.attributes)["service.name"], span)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _span(service: str, span: trace_pb2.Span) -> Span:
    return Span(
        service=service,
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        begun=span.start_time_unix_nano / 1e9,
        milliseconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        attributes=_values(span.attributes),
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: AnyValue) -> Any:
    return getattr(value, value.WhichOneof("value") or "string_value")
