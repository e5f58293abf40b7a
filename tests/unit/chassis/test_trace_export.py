"""What spans say to a collector, and what becomes of those that it does not take."""

import pytest
from prometheus_client import REGISTRY

from chassis import trace
from chassis.testing import eventually
from chassis.trace_export import OpenTelemetry
from tests.stack.collector import Collector

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ROOM = 2048
SAMPLED = 1
"""The flag of https://www.w3.org/TR/trace-context/#sampled-flag."""


@pytest.fixture
def collector(monkeypatch):
    """A collector that the environment names."""
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector


def lost(reason):
    """How many spans were lost so far."""
    return REGISTRY.get_sample_value("linli_spans_lost_total", {"reason": reason}) or 0.0


def test_a_span_arrives_under_its_parent_with_what_it_was_told(collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=linli")
    recorder = OpenTelemetry("toy")

    with recorder.span("work", trace.SERVER, f"00-{TRACE}-{PARENT}-01", {"a": "b"}) as span:
        span.tell({"n": 3})
        named = span.traceparent
    recorder.close(5)

    [found] = collector.spans()
    assert (found.service, found.name, found.kind) == ("toy", "work", "SERVER")
    assert (found.trace, found.parent) == (TRACE, PARENT)
    assert named == f"00-{TRACE}-{found.id}-01"
    assert (found.attributes, found.failed) == ({"a": "b", "n": 3}, False)
    assert collector.headers[0]["x-tenant"] == "linli"


def test_a_failed_span_has_the_name_of_the_error_and_none_of_its_words(collector):
    recorder = OpenTelemetry("toy")

    with pytest.raises(RuntimeError), recorder.span("work", trace.INTERNAL, "", {}):
        raise RuntimeError("of Wang Fang")
    recorder.close(5)

    [found] = collector.spans()
    assert (found.failed, found.attributes) == (True, {"error.type": "RuntimeError"})
    assert b"Wang" not in b"".join(collector.bodies)


def test_what_its_caller_does_not_record_is_not_recorded(collector):
    recorder = OpenTelemetry("toy")

    with recorder.span("work", trace.SERVER, f"00-{TRACE}-{PARENT}-00", {}) as span:
        assert span.traceparent.startswith(f"00-{TRACE}-")
        assert span.traceparent.endswith("-00")
    recorder.close(5)

    assert collector.spans() == []


def test_the_sampler_of_the_environment_decides_on_a_new_trace(collector, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    recorder = OpenTelemetry("toy")

    with recorder.span("mine", trace.SERVER, "", {}) as mine:
        assert not int(mine.traceparent[-2:], 16) & SAMPLED
    with recorder.span("theirs", trace.SERVER, f"00-{TRACE}-{PARENT}-01", {}):
        pass
    recorder.close(5)

    assert [span.name for span in collector.spans()] == ["theirs"]


def test_what_a_collector_refuses_is_counted(collector):
    before = lost("not_taken")
    collector.status = 400
    recorder = OpenTelemetry("toy")

    recorder.span("work", trace.INTERNAL, "", {}).end()
    recorder.close(5)

    assert lost("not_taken") - before == 1


def test_with_a_collector_that_hangs_so_many_wait_and_the_rest_is_counted(collector):
    before = lost("no_room")
    collector.willing.clear()
    recorder = OpenTelemetry("toy")

    for _ in range(ROOM + 10):
        recorder.span("work", trace.INTERNAL, "", {}).end()

    assert lost("no_room") - before == 10
    collector.willing.set()
    eventually(lambda: len(collector.spans()) == ROOM)
    recorder.close(5)


def test_a_collector_that_hangs_keeps_nobody_from_ending(collector):
    collector.willing.clear()
    recorder = OpenTelemetry("toy")
    recorder.span("work", trace.INTERNAL, "", {}).end()

    recorder.close(0.1)

    assert collector.spans() == []
