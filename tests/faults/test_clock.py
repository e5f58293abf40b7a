"""The wall clock an hour forwards or back: nothing is lost or told twice, nobody is signed out
early or for ever, and the logs stay calm.
"""

import json
from datetime import datetime, timedelta

import pytest

from chassis import clock
from chassis.testing import eventually
from deploy.databases import SERVICES

pytestmark = pytest.mark.timeout(300)
HOUR = 3600
LONGEST_SESSION = timedelta(hours=12)
"""Of staff (LINLI_STAFF_SESSION_HOURS)."""
CALM = 20
"""Warnings in the log of a service, those of its start included."""


@pytest.fixture
def at_another_time(drill):
    """Starts all services by a clock that is wrong; right again at the end."""

    def jump(seconds):
        for name in SERVICES:
            drill.stack.stop(name)
        for name in SERVICES:
            drill.stack.start(name, LINLI_CLOCK_OFFSET=str(seconds))
        drill.stack.wait_ready()

    yield jump
    drill.stack.restart_all()


@pytest.mark.parametrize("seconds", [HOUR, -HOUR], ids=["forwards", "back"])
def test_a_clock_that_jumps_and_jumps_back_harms_nobody(drill, at_another_time, seconds):
    stack = drill.stack
    before = stack.community.staff("staff")
    alarms = {name: alarming(stack, name) for name in SERVICES}
    play(drill)
    at_another_time(seconds)
    play(drill)
    meanwhile = stack.community.staff("staff")
    assert signed_in(before), "a session from before the jump"
    at_another_time(0)
    play(drill)

    drill.verify()
    assert signed_in(before)
    assert signed_in(meanwhile)
    lasts = datetime.fromisoformat(meanwhile.read("sessions/current")["expires_at"]) - clock.now()
    assert lasts <= LONGEST_SESSION + timedelta(seconds=HOUR)
    for name in SERVICES:
        assert alarming(stack, name) - alarms[name] < CALM, name
    for client in (before, meanwhile):
        client.close()


def play(drill):
    """Load, and the texts that follow from it: one that is due by a clock an hour ahead waits."""
    with drill.load():
        drill.wait_for(answers=20)
    eventually(lambda: not drill.texts_waiting(), within=60)


def signed_in(client):
    """Whether somebody's session is good, once its gateway is all there."""
    return eventually(lambda: client.get("sessions/current").ok)


def alarming(stack, name):
    """How many lines of a log are not what a calm service writes."""
    lines = [line for line in stack.log(name).splitlines() if line.startswith("{")]
    return sum(json.loads(line).get("level") != "info" for line in lines)
