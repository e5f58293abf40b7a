"""Spans by OpenTelemetry, sent by OTLP over HTTP to whom OTEL_EXPORTER_OTLP_ENDPOINT names, by a
thread of their own.

A collector that is away, slow or full costs spans, which are counted, and nothing else. What else
there is to set (OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, …) the
SDK reads itself.
"""

import threading
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from chassis import logs, metrics, trace

log = logs.get("trace")

# Spans that may wait; how many are sent together, few enough to be encoded while the event loop
# stands still; how often.
_ROOM, _BATCH, _EVERY_MS = 2048, 128, 1000


class OpenTelemetry:
    """Makes spans in the name of a process, and has them sent."""

    def __init__(self, process: str) -> None:
        resource = Resource.create({"service.name": process, "service.namespace": "linli"})
        # Not at exit, where it would wait for half a minute: `close` has its limit.
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._exporter = _Counted(OTLPSpanExporter())
        self._provider.add_span_processor(_Room(self._exporter))
        self._tracer = self._provider.get_tracer("linli")

    def span(self, name: str, kind: str, parent: str, attributes: trace.Attributes) -> trace.Span:
        """A span that begins now; see `trace.span`."""
        return Recorded(self._tracer.start_span(name, _context(parent), SpanKind[kind], attributes))

    def close(self, seconds: float) -> None:
        """Hand over what there is, within so many seconds."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(seconds)
        if left := self._exporter.waiting:
            log.warning("spans_left", spans=left)


class Recorded(trace.Span):
    """A span of OpenTelemetry's."""

    __slots__ = ("_span",)

    def __init__(self, span: OtelSpan) -> None:
        context = span.get_span_context()
        super().__init__(
            f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        )
        self._span = span

    def tell(self, attributes: trace.Attributes) -> None:
        self._span.set_attributes(attributes)

    def fail(self, reason: str) -> None:
        self._span.set_attribute("error.type", reason)
        self._span.set_status(StatusCode.ERROR)

    def end(self) -> None:
        self._span.end()


class _Counted(SpanExporter):
    """An exporter that knows how many spans wait for it, and counts what its collector does not
    take.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._counting = threading.Lock()
        self._failing = False
        self.waiting = 0

    def expect(self, spans: int) -> bool:
        """Whether there is room for so many more, which then wait; else they are counted as
        lost.
        """
        with self._counting:
            room = self.waiting + spans <= _ROOM
            if room:
                self.waiting += spans
            else:
                metrics.SPANS_LOST.labels("no_room").inc(spans)
        return room

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        with self._counting:
            self.waiting -= len(spans)
        if failed:
            metrics.SPANS_LOST.labels("not_taken").inc(len(spans))
        if failed != self._failing:
            log.warning("collector_away" if failed else "collector_back")
        self._failing = failed
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _Room(BatchSpanProcessor):
    """What waits to be sent, as far as there is room."""

    def __init__(self, exporter: _Counted) -> None:
        super().__init__(
            exporter,
            max_queue_size=_ROOM,
            schedule_delay_millis=_EVERY_MS,
            max_export_batch_size=_BATCH,
        )
        self._counted = exporter

    def on_end(self, span: ReadableSpan) -> None:
        if self._counted.expect(1):
            super().on_end(span)


def _context(parent: str) -> Context:
    if not parent:
        return Context()
    _, trace_id, span_id, flags = parent.split("-")
    named = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
    return set_span_in_context(NonRecordingSpan(named), Context())
