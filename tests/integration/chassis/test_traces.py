"""One trace through RPC, outbox, relay and consumer, as a collector sees it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from chassis.call import Call
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from chassis.testing.rpc import RpcCaller
from tests.integration.chassis.conftest import ECHO, Toy
from tests.stack.collector import Collector, Span, orphans

OUTSIDE = "b7ad6b7169203331"


@dataclass
class Traced:
    """The toy with spans, and who is sent them."""

    toy: Toy
    collector: Collector

    def call(self, trace: str, method: str, *args: Any, flags: str = "01") -> Any:
        """Call it from within a span of somebody else's."""
        call = Call(traceparent=f"00-{trace}-{OUTSIDE}-{flags}")
        with RpcCaller(self.toy.amqp_uri) as caller:
            return caller.call("echo", method, *args, call=call)

    def names(self, trace: str) -> list[str]:
        """The spans of a trace that arrived."""
        return [f"{span.service}: {span.name}" for span in self.collector.spans(trace)]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def traced(echo: Toy, echo_environ: dict[str, str], collector: Collector) -> Iterator[Traced]:
    """The toy with spans, in place of the one without."""
    echo.process.stop()
    environ = {**echo_environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    with ServiceProcess(ECHO, environ) as process:
        toy = Toy(process, echo.engine, echo.amqp_uri)
        toy.ready()
        yield Traced(toy, collector)


def test_an_event_is_handled_in_the_trace_of_the_request_that_caused_it(traced: Traced) -> None:
    trace = "1" * 32

    traced.call(trace, "add", "traced", 1)

    def whole() -> list[Span]:
        found = traced.collector.spans(trace)
        return found if len(found) == 5 else []

    request, *rest = eventually(whole)

    assert request.parent == OUTSIDE
    assert sorted(traced.names(trace)) == [
        "echo-relay: publish note.added.v1",
        "echo: echo.add",
        "echo: process echo.on_note_added",
        "echo: transaction",
        "echo: transaction",
    ]
    assert orphans([request, *rest]) == [request]
    by_name = {span.name: span for span in rest}
    published, consumed = (
        by_name["publish note.added.v1"],
        by_name["process echo.on_note_added"],
    )
    assert (published.parent, consumed.parent) == (request.id, published.id)
    assert (request.kind, published.kind, consumed.kind) == ("SERVER", "PRODUCER", "CONSUMER")


def test_a_call_within_a_call_is_a_span_on_both_sides(traced: Traced) -> None:
    trace = "2" * 32

    told = traced.call(trace, "ask_itself", "echo", [1], 2.0)

    outer, asked, answered = eventually(
        lambda: found if len(found := traced.collector.spans(trace)) == 3 else []
    )
    assert (asked.parent, answered.parent) == (outer.id, asked.id)
    assert (asked.kind, answered.kind) == ("CLIENT", "SERVER")
    assert told["trace"] == f"00-{trace}-{answered.id}-01"


def test_nothing_is_told_of_a_call_whose_caller_does_not_record(traced: Traced) -> None:
    quiet, loud = "3" * 32, "4" * 32

    traced.call(quiet, "add", "traced", 2, flags="00")
    traced.call(loud, "add", "traced", 3)

    eventually(lambda: len(traced.names(loud)) == 5)
    assert traced.names(quiet) == []


def test_a_failure_is_marked_without_its_words_and_a_refusal_is_an_answer(traced: Traced) -> None:
    failed, refused = "5" * 32, "6" * 32
    for trace, method in ((failed, "fail"), (refused, "refuse")):
        with contextlib.suppress(Exception):
            traced.call(trace, method)

    [failure] = eventually(lambda: traced.collector.spans(failed))
    [refusal] = eventually(lambda: traced.collector.spans(refused))
    assert (failure.failed, failure.attributes["error.type"]) == (True, "RuntimeError")
    assert not refusal.failed
    assert b"13800001234" not in b"".join(traced.collector.bodies)


def test_an_event_that_is_tried_again_has_a_span_each_time(traced: Traced) -> None:
    trace = "7" * 32

    traced.call(trace, "add", "traced", -2)

    def tries() -> list[Span]:
        found = [span for span in traced.collector.spans(trace) if span.kind == "CONSUMER"]
        return found if len(found) > 1 else []

    first, second = eventually(tries)[:2]
    assert first.parent == second.parent
    assert (first.failed, first.attributes["error.type"]) == (True, "retryable")


def test_lines_of_the_log_name_the_trace(traced: Traced) -> None:
    trace = "8" * 32

    traced.call(trace, "sleep", 0)

    eventually(lambda: f'"trace_id": "{trace}"' in traced.toy.process.log)


def test_a_collector_that_hangs_costs_nothing_but_spans(traced: Traced) -> None:
    traced.collector.willing.clear()
    heard = len(traced.collector.bodies)
    traced.call("9" * 32, "add", "hanging", 1)
    eventually(lambda: len(traced.collector.bodies) > heard)

    traced.call("9" * 32, "add", "hanging", 2)
    eventually(lambda: sorted(traced.toy.effects("hanging")) == [1, 2])

    assert traced.toy.process.stop() == 0
    traced.collector.willing.set()
    assert '"spans_left"' in traced.toy.process.log
