"""What a service tells Prometheus, as a test reads it."""

import json
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

Figures = dict[tuple[str, ...], float]
"""By the name of each and the values of its labels, in the order of their names."""


def health_port(log: str) -> int:
    """The port on which the service that has written this log answers for its health."""
    ports = [json.loads(line)["port"] for line in log.splitlines() if '"health_listening"' in line]
    return int(ports[-1])


def exposed_at(port: int) -> str:
    """All that Prometheus is told there, to the letter; raises OSError."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        told: bytes = answer.read()
    return told.decode()


def figures_at(port: int) -> Figures:
    """All figures that are told there; raises OSError."""
    return {
        (sample.name, *(sample.labels[each] for each in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(exposed_at(port))
        for sample in family.samples
    }
