"""The figures of a service, as Prometheus reads them at /metrics; what counts is spelled here.

The processes of one service (its workers, its relay and what else works beside it) count into files
of one folder, which the runner makes; whoever asks the service is told the sum.
"""

import os
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from chassis.metrics_folder import FOLDER

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

ENTRYPOINT_SECONDS = Histogram(
    "linli_entrypoint_seconds", "How long a method took", ["method"], buckets=_SECONDS
)
ENTRYPOINT_OUTCOMES = Counter(
    "linli_entrypoint_outcomes",
    "How a method ended: `ok`, or the code of its error",
    ["method", "outcome"],
)
EVENTS_CONSUMED = Counter(
    "linli_events_consumed",
    "What became of an event: handled, duplicate, held (infrastructure is away), retried, dead",
    ["queue", "outcome"],
)
RPC_UNANSWERED = Counter(
    "linli_rpc_unanswered",
    "Calls of another service that it did not answer in time",
    ["service", "reason"],
)
EVENTS_RELAYED = Counter("linli_events_relayed", "Events that the broker has stored")
RELAY_REFUSALS = Counter(
    "linli_relay_refusals", "Events that the broker refused: all behind one of them wait"
)
DELIVERIES = Counter(
    "linli_deliveries", "Attempts to tell somebody, by how they ended", ["channel", "reason"]
)
SPANS_LOST = Counter(
    "linli_spans_lost", "Spans that no collector has: `no_room` to wait, or `not_taken`", ["reason"]
)

Reading = Callable[[], float | Mapping[str, float] | None]


class _Reported(Collector):
    """What is asked for only when somebody reads the figures."""

    def __init__(self) -> None:
        self.readings: dict[str, tuple[str, str | None, Reading]] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, (text, label, read) in self.readings.items():
            found = read()
            family = GaugeMetricFamily(name, text, labels=[label] if label else [])
            if isinstance(found, Mapping):
                for key, value in found.items():
                    family.add_metric([key], value)
            elif found is not None:
                family.add_metric([], found)
            yield family


_reported = _Reported()


def report(name: str, text: str, read: Reading, *, label: str | None = None) -> None:
    """Let `read` say what a gauge of this name is, or several by `label`; None while it is not
    known. It is called at every reading and must neither block nor raise.
    """
    _reported.readings[name] = (text, label, read)


def exposition() -> bytes:
    """All figures in Prometheus's text format."""
    registry = CollectorRegistry()
    if os.environ.get(FOLDER):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        ProcessCollector(registry=registry)
    else:
        registry.register(REGISTRY)
    registry.register(_reported)
    return generate_latest(registry)
