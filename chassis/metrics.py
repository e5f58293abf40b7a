"""The figures of a service, as Prometheus reads them at /metrics; what counts is spelled here.

The processes of one service (its workers, its relay and what else works beside it) count into files
of one folder, which the runner makes; whoever asks the service is told the sum.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    values,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from chassis import __version__
from chassis.metrics_folder import FOLDER, role

if os.environ.get(FOLDER):
    # A file a role and not, as by default, a process: whoever follows one that died counts on.
    values.ValueClass = values.MultiProcessValue(role)  # type: ignore[no-untyped-call]

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
HTTP_REQUESTS = Counter(
    "linli_http_requests",
    "Requests of people and programs, by the class of the status: 2xx, 4xx, 5xx",
    ["operation", "status"],
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
RELAYS = Gauge(
    "linli_relays",
    "1 for what the relay is: active, standby, or away from its database",
    ["state"],
    multiprocess_mode="sum",
)
DELIVERIES = Counter(
    "linli_deliveries", "Attempts to tell somebody, by how they ended", ["channel", "reason"]
)
SPANS_LOST = Counter(
    "linli_spans_lost", "Spans that no collector has: `no_room` to wait, or `not_taken`", ["reason"]
)
WEBHOOK_KEY_FOREIGN = Gauge(
    "linli_webhook_key_foreign",
    "1: the webhook key opens no secret that there is, and nothing is sent",
    multiprocess_mode="max",
)
POOL_WAIT_SECONDS = Histogram(
    "linli_pool_wait_seconds",
    "How long those waited for a database connection who found none free",
    buckets=_SECONDS,
)
HUB_LAG_SECONDS = Histogram(
    "linli_hub_lag_seconds", "How late a timer of the event loop fired", buckets=_SECONDS
)
HELPERS_DIED = Counter(
    "linli_helpers_died", "Processes beside the workers that died and were started anew", ["helper"]
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


report("linli_build_info", "Which version runs", lambda: {__version__: 1.0}, label="version")


def count_request(operation: str | None, status: int) -> None:
    """Count an answer over HTTP; None: it came to no operation of ours."""
    HTTP_REQUESTS.labels(operation or "none", f"{status // 100}xx").inc()


def relay_is(state: str) -> None:
    """Tell what the relay of this process is: `active`, `standby` or `away`."""
    for each in ("active", "standby", "away"):
        RELAYS.labels(each).set(each == state)


class _Counted(MultiProcessCollector):
    """What all processes have counted. A file that another has opened this moment is still empty:
    prometheus_client cannot read it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(None, folder)  # type: ignore[no-untyped-call]
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(each) for each in self._folder.glob("*.db") if each.stat().st_size]
        found: Iterable[Metric] = self.merge(files)  # type: ignore[no-untyped-call]
        return found


def exposition() -> bytes:
    """All figures in Prometheus's text format."""
    registry = CollectorRegistry()
    if folder := os.environ.get(FOLDER):
        registry.register(_Counted(Path(folder)))
        ProcessCollector(registry=registry)
    else:
        registry.register(REGISTRY)
    registry.register(_reported)
    return generate_latest(registry)
