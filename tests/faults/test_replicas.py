"""Several processes of each service: one takes over what another did alone, and all can be
restarted one after the other behind a balancer without a request that fails.
"""

import pytest

from chassis.testing import eventually
from deploy.databases import SERVICES
from tests.faults.event_stream import EventStream
from tests.faults.vitals import Stopwatch
from tests.stack.haproxy import balancing

pytestmark = pytest.mark.timeout(400)
TAKEN_OVER_WITHIN = 5.0
"""Seconds."""
DRAINING = {"LINLI_DRAIN_SECONDS": "2"}
STARTED, ACTIVE = '"relay_started"', '"relay_active"'


def kill(stack, name):
    """The process dies, and its relay with it."""
    stack.kill(name)


def freeze(stack, name):
    """It hangs with all its connections open."""
    stack.freeze(name)


@pytest.fixture
def four(drill):
    """Tickets, with the active relay, and three more from the same settings."""
    stack = drill.stack
    stack.restart("tickets")
    eventually(lambda: ACTIVE in said(stack, "tickets"))
    others = [stack.add_replica("tickets") for _ in range(3)]
    stack.wait_ready(*others)
    eventually(lambda: all(STARTED in said(stack, name) for name in others))
    yield others
    for name in others:
        stack.stop(name)


def said(stack, name):
    """What a process, and its relay, has logged since it was ready the last time."""
    return stack.log(name).rpartition('"health_listening"')[2]


def active(stack, names):
    """Those of several whose relay is, or was, the active one."""
    return [name for name in names if ACTIVE in said(stack, name)]


@pytest.mark.parametrize("how", [kill, freeze])
def test_one_of_three_relays_takes_over_within_five_seconds(drill, four, how):
    stack = drill.stack
    assert not active(stack, four)
    with drill.load():
        drill.wait_for(answers=10)
        how(stack, "tickets")
        watch = Stopwatch(stack, *four)
        eventually(lambda: active(stack, four), within=20)
        took = watch.seconds
        drill.wait_for(answers=10)
        stack.thaw("tickets") if stack.running("tickets") else stack.start("tickets")
        drill.wait_for(answers=10)

    drill.verify()
    assert len(active(stack, four)) == 1
    drill.report.measure(f"relay: {how.__name__} → taken over", took, TAKEN_OVER_WITHIN)


def test_every_process_is_restarted_behind_a_balancer_and_no_request_fails(
    drill, draining, tmp_path
):
    stack, administrator = drill.stack, drill.stack.community.staff("administrator")
    ports = {name: stack.port(name) for name in ("gateway", "gateway-2")}
    with balancing(tmp_path, ports) as port, EventStream(administrator.through(port)) as stream:
        eventually(lambda: stream.connections)
        drill.watchers.log.more()
        drill.crowd = drill.crowd.through(port)
        with drill.load():
            for pair in zip(SERVICES, draining, strict=True):
                for name in pair:
                    drill.wait_for(answers=10)
                    roll(stack, name)
            drill.wait_for(answers=10)
        drill.verify()
        stream.reach(drill.wire[-1].offset, within=30)
    administrator.close()

    assert {attempt.status for attempt in drill.ledger.attempts()} <= {200, 201}
    assert stream.refusals == []
    assert stream.connections > 1
    seen = {each.offset: each.id for each in stream.ledger}
    assert len(seen) == len(stream.ledger)
    assert seen == {each.offset: each.event["id"] for each in drill.wire}


@pytest.fixture
def draining(drill, replicas):
    """Two gateways that go on serving for two seconds, a few times as long as the balancer needs
    to look; what is given is the second of each service.
    """
    for name in ("gateway", replicas[-1]):
        drill.stack.restart(name, **DRAINING)
    return replicas


def roll(stack, name):
    """Restart one process, as an update would."""
    stack.stop(name)
    stack.start(name, **DRAINING)
    stack.wait_ready(name)
