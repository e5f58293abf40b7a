"""Two gateways from the same settings on one stream: whoever indexes may vanish or freeze, and a
client may come back to the other one.
"""

import json
import signal
import threading
import time
from contextlib import contextmanager

import pytest
import requests
from sqlalchemy import text

from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from tests.integration.gateway.event_source import GATEWAY, EventSource, Publisher, Stage, event

ACTIVE = "feed_indexer_active"


@pytest.fixture
def stage(rabbitmq, postgres, free_port):
    stage = Stage(rabbitmq, postgres, free_port)
    yield stage
    stage.close()


@contextmanager
def frozen(gateway):
    """Stopped in its tracks meanwhile: its connections stay open."""
    gateway.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        gateway.signal(signal.SIGCONT)


def leader_first(one, other):
    """The gateway that indexes, and the one that stands by."""
    eventually(lambda: ACTIVE in one.log + other.log)
    return (one, other) if ACTIVE in one.log else (other, one)


def numbers(gateway):
    """What the feed table tells, all of it."""
    return [item["data"]["n"] for item in gateway.pages(limit=200)]


def test_a_frozen_gateway_gives_the_index_up_and_indexes_nothing_when_it_wakes(stage):
    with stage.gateway() as one, stage.gateway() as other:
        leader, follower = leader_first(one, other)
        stage.publish(*range(50))
        eventually(lambda: numbers(follower) == list(range(50)))

        with frozen(leader):
            stage.publish(*range(50, 100))
            eventually(lambda: ACTIVE in follower.log, within=10)
            eventually(lambda: numbers(follower) == list(range(100)))

        eventually(lambda: "feed_not_indexed" in leader.log)
        stage.publish(*range(100, 150))
        eventually(lambda: numbers(follower) == list(range(150)))
        eventually(lambda: numbers(leader) == list(range(150)))
        assert leader.log.count(ACTIVE) == 1


def test_a_gateway_frozen_within_a_transaction_keeps_nobody_waiting_either(stage):
    with stage.gateway() as one, stage.gateway() as other:
        leader, follower = leader_first(one, other)
        stage.publish(*range(10))
        eventually(lambda: numbers(follower) == list(range(10)))

        with stage.engine.begin() as connection:
            connection.execute(text("LOCK TABLE feed IN EXCLUSIVE MODE"))
            stage.publish(*range(10, 20))
            eventually(lambda: connection.scalar(text(WAITING)))
            leader.signal(signal.SIGSTOP)
        try:
            # Its statement is done, and its transaction open: nobody will commit it.
            eventually(lambda: numbers(follower) == list(range(20)), within=15)
        finally:
            leader.signal(signal.SIGCONT)
        eventually(lambda: numbers(leader) == list(range(20)))


WAITING = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'feed'::regclass"


def test_a_client_that_moves_between_gateways_misses_nothing_and_gets_the_same_cursors(stage):
    moved = []
    with (
        stage.gateway() as one,
        stage.gateway() as other,
        EventSource(one) as here,
        EventSource(other) as there,
        publishing(stage, 600),
    ):
        last = here.last
        for turn in range(12):
            with EventSource((one, other)[turn % 2], after=last) as nomad:
                eventually(lambda nomad=nomad: len(nomad.seen) >= 30)
            moved, last = moved + nomad.seen, nomad.last
        with EventSource(one, after=last) as nomad:
            eventually(lambda: nomad.last == here.last == there.last and len(here.seen) == 600)
        moved += nomad.seen

    assert [told["data"]["n"] for _, told in moved] == list(range(600))
    assert moved == here.seen == there.seen


def test_two_gateways_from_the_very_same_settings_share_a_machine(stage):
    environ = {**stage.environ, "LINLI_HTTP_PORT": "0"}
    with ServiceProcess(GATEWAY, environ) as one, ServiceProcess(GATEWAY, environ) as other:
        ports = {eventually(lambda each=each: listening(each), within=30) for each in (one, other)}

        assert len(ports) == 2
        for port in ports:
            eventually(lambda port=port: is_ready(port), within=20)


def listening(process):
    """The port on which a gateway says that it listens; None before."""
    said = [json.loads(line) for line in process.log.splitlines() if '"http_listening"' in line]
    return said[-1]["port"] if said else None


def is_ready(port):
    """Whether a gateway is."""
    return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200


@contextmanager
def publishing(stage, count):
    """Events, one after the other, from now on; all of them are out at the end."""

    def publish():
        with Publisher(stage.amqp_uri) as publisher:
            for number in range(count):
                publisher.publish(event(number))
                time.sleep(0.005)  # So that the client moves meanwhile.

    thread = threading.Thread(target=publish)
    thread.start()
    yield
    thread.join()
