"""A consumer ten times slower, and subscribers who are away while ten thousand events pass: the
others wait for nobody, memory stays what it was, and whoever comes back has missed nothing.
"""

import time

import pytest

from chassis.testing import eventually
from tests.faults.event_stream import EventStream
from tests.faults.filing import Filing
from tests.faults.vitals import lag_of, memory, ten_times_slower

pytestmark = pytest.mark.timeout(600)
LAG = 2.0
"""Seconds that an event may take, from the request that made it."""
GROWTH = 32
"""Megabytes that no process may grow by."""
PASSING = 10_000
ASSIGNED = "linli.tickets.ticket_assigned.v1"


def test_a_consumer_that_is_ten_times_slower_makes_nobody_else_wait(drill):
    water, stream = drill.watchers.subscriber, drill.watchers.stream
    with drill.load():
        drill.wait_for(answers=20)
        heard, streamed = len(water.ledger), len(stream.ledger)
        with ten_times_slower(drill.stack, "notifications"):
            time.sleep(10)
            others = [*water.ledger[heard:], *stream.ledger[streamed:]]

    drill.verify()
    assert len(others) > 50
    drill.report.measure("one consumer slow: others hear", lag_of(others), LAG)


def test_whoever_is_away_while_ten_thousand_events_pass_misses_none_of_them(drill):
    stack, water, stream = drill.stack, drill.watchers.subscriber, drill.watchers.stream
    administrator = stack.community.staff("administrator")
    with EventStream(administrator) as follower:
        eventually(lambda: follower.connections)
        heard, followed, streamed = (len(each.ledger) for each in (water, follower, stream))
        drill.watchers.log.more()
        before = memory(stack)
        with water.away(), follower.away(), Filing(stack, at_least=PASSING):
            pass
        logged = drill.watchers.log.more()
        assert stream.reach(logged[-1].offset, within=LAG)
        after = memory(stack)
        assigned = [each.event["id"] for each in logged if each.event["type"] == ASSIGNED]
        eventually(lambda: len(water.ledger) - heard >= len(assigned), within=60)
        assert follower.reach(logged[-1].offset, within=60)
    administrator.close()
    eventually(lambda: not drill.waiting("notifications."), within=120)

    assert len(logged) >= PASSING
    assert len(assigned) >= PASSING // 20
    assert [each.id for each in follower.ledger[followed:]] == [e.event["id"] for e in logged]
    assert sorted(each.event["id"] for each in water.ledger[heard:]) == sorted(assigned)
    drill.report.measure("subscribers away: others hear", lag_of(stream.ledger[streamed:]), LAG)
    grown = {name: after[name] - before[name] for name in before}
    assert max(grown.values()) <= GROWTH, grown
