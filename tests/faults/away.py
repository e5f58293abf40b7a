"""How the system shows that a server is away."""

from collections.abc import Mapping
from typing import Any

from tests.faults.drill import Drill
from tests.faults.vitals import Stopwatch
from tests.stack.clients import Client
from tests.stack.stack import Stack

ANSWER_WITHIN = 2.5
"""Seconds."""


def says_degraded(stack: Stack, name: str) -> bool:
    """Whether a service says that it takes requests and that the broker is away."""
    status, body = stack.readiness(name)
    degraded: bool = status == 200 and body["status"] == "degraded"
    return degraded and body["checks"]["broker"] != "ok"


def refused_in_time(
    drill: Drill, what: str, client: Client, body: Mapping[str, Any], key: str
) -> None:
    """File while it cannot be done; the answer must come soon and say when to come back."""
    watch = Stopwatch(drill.stack, "gateway")
    answer = client.post("tickets", body, key=key)
    took = watch.seconds
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    drill.report.measure(f"{what}: 503", took, ANSWER_WITHIN)
