"""SIGTERM under load: every service ends within ten seconds, also with the broker away, and what
was under way is answered.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.databases import SERVICES
from tests.faults.locks import locked, wait_for_waiting
from tests.stack.clients import filing, new_key
from tests.stack.proxy import Proxy

pytestmark = pytest.mark.timeout(300)
ENDS_WITHIN = 10.0
"""Seconds."""


def stop_and_start(drill, name):
    """SIGTERM a service, see that it ends in time, and start it again."""
    drill.report.measure("SIGTERM → ended", drill.stack.stop(name), ENDS_WITHIN)
    drill.stack.start(name)


def test_sigterm_under_load_ends_every_service_in_time_and_loses_nothing(drill):
    with drill.load():
        for name in SERVICES:
            drill.wait_for(answers=5)
            stop_and_start(drill, name)
            drill.stack.wait_ready(name)

    drill.verify()


@pytest.mark.parametrize(
    "how", [pytest.param("stop", marks=pytest.mark.slice), pytest.param("freeze")]
)
def test_sigterm_ends_every_service_in_time_while_the_broker_is_away(drill, how):
    broker = drill.stack.rabbitmq
    with drill.load():
        drill.wait_for(answers=10)
        getattr(broker, how)()
        time.sleep(1)
        with ThreadPoolExecutor(len(SERVICES)) as pool:
            list(pool.map(lambda name: stop_and_start(drill, name), SERVICES))
        broker.thaw() if broker.running else broker.start()
        drill.stack.wait_ready()
        drill.wait_for(answers=10)

    drill.verify()


@pytest.mark.slice
@pytest.mark.parametrize("name", ["gateway", "tickets"])
def test_requests_under_way_are_answered_before_a_service_ends(drill, name):
    """Filings wait for a lock, so they are under way for sure when the service is told to end."""
    stack, resident = drill.stack, drill.crowd.residents[0]
    with locked(stack) as release, ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(file, resident) for _ in range(8)]
        wait_for_waiting(stack, 8)
        threading.Timer(0.6, release).start()
        took = stack.stop(name)
        statuses = [answer.result() for answer in answers]
    stack.start(name)
    stack.wait_ready()

    assert statuses == [201] * 8
    drill.report.measure("SIGTERM → ended", took, ENDS_WITHIN)


def file(resident):
    """The status of a filing over connections of its own."""
    with resident.twin() as own:
        return own.post("tickets", filing(), key=new_key()).status_code


def test_of_two_replicas_one_may_always_be_stopped_without_anybody_noticing(drill, replicas):
    """Clients reach the two gateways by a balancer that tries the other when one takes no more."""
    ports = (drill.stack.port("gateway"), drill.stack.port("gateway-2"))
    with Proxy(*ports) as balancer:
        drill.crowd = drill.crowd.through(balancer.port, keep_alive=False)
        with drill.load():
            for pair in zip(SERVICES, replicas, strict=True):
                for name in pair:
                    drill.wait_for(answers=10)
                    stop_and_start(drill, name)
                    drill.stack.wait_ready(name)
            drill.wait_for(answers=10)

    statuses = {attempt.status for attempt in drill.ledger.attempts()}
    assert statuses <= {200, 201}
    drill.verify()
