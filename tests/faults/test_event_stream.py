"""Server-sent events resumed across kills of the gateway: nothing is missed, order is kept, and
what comes twice is the same event.
"""

import contextlib
import json
import sys

import pytest

from chassis.testing import eventually
from tests.e2e.written import JAVASCRIPT, blocks, page, printing
from tests.faults.event_stream import EventStream
from tests.faults.filing import Filing
from tests.stack.javascript import node

pytestmark = pytest.mark.timeout(600)
FOLLOWING = page("docs/howto/follow-the-feed.md")
KILLS = 20


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


def test_strangers_clients_miss_nothing_across_twenty_kills_of_the_gateway(
    drill, chance, tmp_path
):
    """`httpx-sse` and, on Node, `eventsource`: the programs as they stand in our how-to."""
    stack, log = drill.stack, drill.watchers.log
    with httpx_sse(stack, tmp_path) as python, eventsource(stack, tmp_path) as javascript:
        a_sign_of_life(stack, python, javascript)
        log.more()
        with Filing(stack, at_least=3000):
            for _ in range(KILLS):
                wait_for_more(python, 1 + chance.randrange(60))
                drill.kill_and_start("gateway")
        logged = [each.event["id"] for each in log.more()]
        with contextlib.suppress(AssertionError):  # What is missing then is told below.
            eventually(lambda: set(logged) <= {*python()} & {*javascript()}, within=60)

        assert len(logged) >= 3000
        told = {"httpx-sse": python(), "eventsource": javascript()}
    drill.report.streamed += sum(len(heard) for heard in told.values())
    drill.report.streamed_again += sum(len(heard) - len(set(heard)) for heard in told.values())
    for name, heard in told.items():
        first = [each for each in dict.fromkeys(heard) if each in set(logged)]
        assert first == logged, f"{name}: missed or out of order"


@contextlib.contextmanager
def httpx_sse(stack, folder):
    """The Python program, run as it stands; gives a function for the ids that it was told."""
    (program,) = blocks(FOLLOWING, "python")
    with printing([sys.executable, "-c", program], home(stack, folder / "python"), {}) as printed:
        yield lambda: [line.split()[1] for line in whole_lines(printed())]


@contextlib.contextmanager
def eventsource(stack, folder):
    """The same of the JavaScript program."""
    (program,) = blocks(FOLLOWING, "js")
    where = home(stack, folder / "javascript")
    (where / "follow.mjs").write_text(program, encoding="utf-8")
    (where / "node_modules").symlink_to(JAVASCRIPT / "node_modules")
    with printing([node(JAVASCRIPT), "follow.mjs"], where, {}) as printed:
        yield lambda: [line.split()[0] for line in whole_lines(printed())]


def home(stack, folder):
    """A folder in which Linli runs, as far as its ready.json tells."""
    (folder / ".linli").mkdir(parents=True)
    (folder / ".linli" / "ready.json").write_text(json.dumps(stack.ready), encoding="utf-8")
    return folder


def whole_lines(text):
    """Those that are printed to their end."""
    return [line for line in text.splitlines(True) if line.endswith("\n")]


def wait_for_more(heard, more):
    """Until a program was told so many more events."""
    before = len(heard())
    eventually(lambda: len(heard()) >= before + more, within=60)


def a_sign_of_life(stack, *programs):
    """Something happens until every program has heard of something new: then all are listening."""
    before = [len(heard()) for heard in programs]
    resident = stack.community.resident()

    def all_hear():
        resident.file()
        return all(len(heard()) > then for heard, then in zip(programs, before, strict=True))

    eventually(all_hear, within=60)


def offsets(messages):
    """Their places in the log."""
    return {each.offset for each in messages}
