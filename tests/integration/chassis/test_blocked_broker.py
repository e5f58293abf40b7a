"""A broker short of memory takes no messages: a publish seems to succeed and never arrives."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from chassis.testing import eventually
from chassis.testing.rpc import RpcCaller
from tests.integration.chassis.conftest import Toy


@contextmanager
def short_of_memory(broker: Any) -> Iterator[None]:
    broker.control("set_vm_memory_high_watermark", "absolute", "1")
    try:
        yield
    finally:
        broker.control("set_vm_memory_high_watermark", "absolute", str(broker.limits["memory"]))


def test_a_service_of_a_blocked_broker_says_so_and_comes_back(echo: Toy, rabbitmq: Any) -> None:
    """It keeps its connection: a blocked broker is silent, but not for want of a connection. What
    is committed meanwhile is published afterwards.
    """
    subject = str(uuid4())
    pid, before = echo.process.pid, echo.process.log.count("broker_blocked")
    given_up = echo.process.log.count("broker_connection_given_up")

    with short_of_memory(rabbitmq):
        eventually(lambda: echo.process.log.count("broker_blocked") > before)
        eventually(lambda: _readiness(echo)["status"] == "degraded")
        with echo.engine.begin() as connection:
            connection.exec_driver_sql(_EVENT_BY_HAND, (subject,))
        time.sleep(11)
        assert echo.rows("SELECT count(*) FROM outbox") == [(1,)]

    eventually(echo.answers, within=5)
    eventually(lambda: echo.effects(subject) == [9], within=5)
    assert echo.process.log.count("broker_connection_given_up") == given_up
    eventually(lambda: _readiness(echo)["status"] == "ready")
    assert echo.process.pid == pid


def test_a_call_to_another_service_is_told_soon(echo: Toy, rabbitmq: Any, tmp_path: Path) -> None:
    """The method was called before the alarm, and calls another when the broker is blocked."""
    signal, before = tmp_path / "blocked", echo.process.log.count("broker_blocked")
    with RpcCaller(echo.amqp_uri) as caller:
        with echo.taking():
            caller.send("echo", "ask_itself_once", str(signal), 5.0, within=60)
        with short_of_memory(rabbitmq):
            eventually(lambda: echo.process.log.count("broker_blocked") > before)
            signal.touch()
            line = eventually(lambda: _last(echo, "asked_in_vain"))

    assert line["reason"] == "broker_unusable"
    assert line["seconds"] < 1


def _last(echo: Toy, what: str) -> Any:
    lines = [line for line in echo.process.log.splitlines() if f'"{what}"' in line]
    return json.loads(lines[-1]) if lines else None


def _readiness(echo: Toy) -> Any:
    ports = [
        json.loads(line)["port"]
        for line in echo.process.log.splitlines()
        if '"health_listening"' in line
    ]
    with urllib.request.urlopen(f"http://127.0.0.1:{ports[-1]}/readyz", timeout=2) as answer:
        return json.load(answer)


_EVENT_BY_HAND = """
INSERT INTO outbox (event_id, routing_key, cc, body, traceparent)
VALUES (gen_random_uuid(), 'note.added.v1.water.340603', '{}', json_build_object(
    'specversion', '1.0', 'id', gen_random_uuid(), 'type', 'linli.echo.note_added.v1',
    'source', '/echo', 'subject', %s::text, 'time', '2026-11-01T08:00:00+08:00',
    'sequence', '0000000001', 'data', json_build_object('number', 9)
)::text, '')
"""
