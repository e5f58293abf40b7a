"""Server-sent events resumed across kills of the gateway: nothing is missed, order is kept, and
what comes twice is the same event.
"""

import contextlib

import pytest

from chassis.testing import eventually
from tests.faults.event_stream import EventStream
from tests.faults.filing import Filing

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize(
    ("events", "kills"), [pytest.param(300, 2, marks=pytest.mark.slice), (5000, 10)]
)
def test_events_resumed_across_kills_of_the_gateway_are_complete(drill, chance, events, kills):
    stack, log = drill.stack, drill.watchers.log
    administrator = stack.community.staff("administrator")
    with EventStream(administrator) as stream:
        eventually(lambda: stream.connections, within=20)
        log.more()
        with Filing(stack, at_least=events):
            for _ in range(kills):
                # Wherever it happens to be: in the backlog, or between two events.
                stream.wait_for(chance.randrange(1, 1 + events // (kills * 2)))
                drill.kill_and_start("gateway")
            stream.wait_for(1)
        logged = log.more()
        # What is missing then is told below.
        with contextlib.suppress(AssertionError):
            eventually(lambda: offsets(stream.ledger) >= offsets(logged), within=30)
    administrator.close()

    received = stream.ledger
    drill.report.streamed += len(received)
    drill.report.streamed_again += len(received) - len(set(received))
    ids = {each.offset: each.event["id"] for each in logged}
    assert len(logged) >= events
    assert stream.connections > kills
    assert stream.refusals == []
    first = list(dict.fromkeys(each.offset for each in received))
    assert first == sorted(ids), "missed or out of order"
    assert {each.offset: each.id for each in received} == ids
    assert all(ids[each.offset] == each.id for each in received), "one cursor, two events"


def offsets(messages):
    """Their places in the log."""
    return {each.offset for each in messages}
