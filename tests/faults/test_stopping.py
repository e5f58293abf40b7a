"""SIGTERM under load: every service ends within ten seconds, also with the broker away, and what
was under way is answered.
"""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from deploy.local.environment import SERVICES
from deploy.local.postgres import connect
from tests.stack.clients import filing, new_key

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
        for name in SERVICES:
            stop_and_start(drill, name)
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


@contextlib.contextmanager
def locked(stack):
    """Nobody can write tickets until what this gives is called."""
    connection = connect(stack.postgres.url("linli_tickets"))
    connection.cursor().execute("LOCK TABLE tickets IN EXCLUSIVE MODE")
    try:
        yield connection.rollback
    finally:
        with contextlib.suppress(psycopg2.Error):
            connection.close()


def wait_for_waiting(stack, count):
    """Until so many transactions wait for a lock."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    deadline = time.monotonic() + 1.5
    while stack.value("tickets", sql) < count:
        assert time.monotonic() < deadline, "the filings do not get through"
        time.sleep(0.02)
