"""The broker stopped or frozen: no service dies, filing says when to come back, readiness says what
is wrong, and soon after the broker is back so is everybody, with nothing lost.
"""

import time

import pytest

from chassis.testing import eventually
from deploy.databases import SERVICES
from tests.faults.alarms import clear_alarms
from tests.faults.away import refused_in_time, says_degraded
from tests.faults.load import send
from tests.faults.vitals import Stopwatch
from tests.stack.clients import filing, new_key

slice_ = pytest.mark.slice
RECONNECTED_WITHIN = 3.0
"""Seconds."""


def stop(broker):
    """End the broker in order."""
    broker.stop()


def kill(broker):
    """`kill -9` the broker."""
    broker.kill()


def freeze(broker):
    """Stop the broker in its tracks."""
    broker.freeze()


def memory_alarm(broker):
    """The broker has no memory left: it takes nothing, and lets publishers believe that it does."""
    broker.control("set_vm_memory_high_watermark", "absolute", "1MB")


def disk_alarm(broker):
    """The same for its disk."""
    broker.control("set_disk_free_limit", "1000GB")


def start(broker):
    """After it was stopped or killed."""
    broker.start()


def thaw(broker):
    """After it was frozen."""
    broker.thaw()


BACK = {
    stop: start,
    kill: start,
    freeze: thaw,
    memory_alarm: clear_alarms,
    disk_alarm: clear_alarms,
}


def pids(stack):
    """The processes of the services."""
    return {name: stack.pid(name) for name in SERVICES}


AWAY = [
    pytest.param(stop, 6, marks=slice_),
    pytest.param(freeze, 8, marks=slice_),
    (kill, 5),
    (freeze, 120),
    (memory_alarm, 10),
    (disk_alarm, 10),
]
"""How, and for how many seconds at least."""


@pytest.mark.parametrize(("how", "seconds"), AWAY)
@pytest.mark.timeout(400)
def test_a_broker_that_goes_away_and_comes_back_costs_nothing(drill, how, seconds):
    stack, broker = drill.stack, drill.stack.rabbitmq
    with drill.load():
        drill.wait_for(answers=20)
        before = pids(stack)
        how(broker)
        away = time.monotonic()
        for name in SERVICES:
            eventually(lambda name=name: says_degraded(stack, name), within=15)
        body, key = filing(), new_key()
        resident = drill.crowd.residents[0].twin()
        while time.monotonic() - away < seconds:
            refused_in_time(drill, "broker away", resident, body, key)
            time.sleep(0.5)
        BACK[how](broker)
        eventually(broker.answers)
        watch = Stopwatch(stack)
        eventually(lambda: send(resident, "tickets", body, key)[0].status == 201, within=20)
        filed_after = watch.seconds
        stack.wait_ready()
        ready_after = watch.seconds
        assert pids(stack) == before
        drill.wait_for(answers=20)

    drill.verify()
    resident.close()
    sql = "SELECT count(*) FROM tickets WHERE description = :text"
    assert stack.value("tickets", sql, text=body["description"]) == 1
    drill.report.measure("broker back → a filing succeeds", filed_after, RECONNECTED_WITHIN)
    # Readiness is looked at once a second.
    drill.report.measure("broker back → all ready", ready_after, RECONNECTED_WITHIN + 1.0)
