"""Workers and what they share: dependencies that may be away, and a number that says how much comes
at once.
"""

import json
import urllib.request
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

import pytest

from chassis import errors
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from tests.integration.chassis.conftest import ECHO, QUEUE, Toy


def test_while_the_database_is_away_a_call_says_so_and_nothing_ends(
    echo: Toy, postgres: Any
) -> None:
    pid = echo.process.pid
    postgres.stop()
    try:
        with pytest.raises(errors.Unavailable) as raised:
            echo.call("add", "somebody", 1)
        assert echo.call("echo", 1)["value"] == 1
    finally:
        postgres.start()

    eventually(lambda: echo.call("add", "somebody", 1) is None, within=5)
    assert raised.value.params["reason"] == "database"
    assert echo.process.running
    assert echo.process.pid == pid


def test_a_service_starting_beside_a_frozen_database_can_be_stopped(
    echo: Toy, postgres: Any
) -> None:
    echo.process.stop()
    postgres.freeze()
    try:
        echo.process.start()
        eventually(lambda: '"an answer"' in echo.process.log, within=20)
        assert echo.process.stop(within=10) == 0
    finally:
        postgres.thaw()


def test_each_queue_brings_as_many_messages_at_once_as_were_asked_for(
    echo: Toy, echo_environ: dict[str, str], rabbitmq: Any
) -> None:
    """Requests as many as there are workers; events by a setting of their own."""
    echo.process.stop()
    few = {"LINLI_WORKERS_ECHO": "4", "LINLI_PREFETCH_ECHO": "3"}
    with ServiceProcess(ECHO, {**echo_environ, **few}):
        found = eventually(lambda: _prefetched(rabbitmq, "rpc-echo", QUEUE), within=20)

    assert found == {"rpc-echo": 4, QUEUE: 3}


def _prefetched(rabbitmq: Any, *queues: str) -> dict[str, int] | None:
    """The prefetch of each queue's consumer, once each has one and no more."""
    parts = urlsplit(rabbitmq.management_url)
    credentials = b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    request = urllib.request.Request(
        f"http://{parts.hostname}:{parts.port}/api/consumers",
        headers={"Authorization": f"Basic {credentials}"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - loopback
        consumers = json.load(answer)
    found = [(each["queue"]["name"], each["prefetch_count"]) for each in consumers]
    ours = sorted(each for each in found if each[0] in queues)
    return dict(ours) if [name for name, _ in ours] == sorted(queues) else None
