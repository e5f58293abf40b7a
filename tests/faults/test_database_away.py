"""PostgreSQL restarted under load, in order and by `kill -9`: pools heal, no event's attempt is
counted, nothing is lost.
"""

import time

import pytest

from chassis.testing import eventually
from tests.faults.load import send
from tests.faults.locks import locked
from tests.faults.vitals import Stopwatch
from tests.stack.clients import filing, new_key

pytestmark = pytest.mark.timeout(400)
slice_ = pytest.mark.slice
HEALED_WITHIN, ANSWER_WITHIN, LOCKED = 5.0, 2.5, 60.0
"""Seconds."""


def fast(server):
    """What `pg_ctl restart` does: clients are sent away, data is written."""
    server.stop()


def immediate(server):
    """`kill -9`: the next start recovers from the write-ahead log."""
    server.kill()


@pytest.mark.parametrize(
    ("how", "seconds"), [pytest.param(fast, 0, marks=slice_), (fast, 8), (immediate, 3)]
)
def test_a_database_that_restarts_is_no_loss_and_no_attempt(drill, how, seconds):
    stack, server = drill.stack, drill.stack.postgres
    with drill.load():
        drill.wait_for(answers=20)
        how(server)
        time.sleep(seconds)
        server.start()
        watch = Stopwatch(stack)
        key, body = new_key(), filing()
        with drill.crowd.residents[0].twin() as resident:
            eventually(lambda: send(resident, "tickets", body, key)[0].status == 201, within=30)
        filed_after = watch.seconds
        stack.wait_ready()
        ready_after = watch.seconds
        drill.wait_for(answers=20)

    drill.verify()
    drill.report.measure("database back → a filing succeeds", filed_after, HEALED_WITHIN)
    drill.report.measure("database back → all ready", ready_after, HEALED_WITHIN)


def test_a_frozen_database_is_answered_with_come_back_later(drill):
    server = drill.stack.postgres
    with drill.load():
        drill.wait_for(answers=20)
        server.freeze()
        frozen = time.monotonic()
        with drill.crowd.residents[0].twin() as resident:
            while time.monotonic() - frozen < 12:
                answer = resident.post("tickets", filing(), key=new_key())
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["Retry-After"]) > 0
        server.thaw()
        drill.wait_for(answers=20)

    drill.verify()


def test_a_locked_table_is_answered_with_come_back_later_and_stops_nobody_else(drill):
    stack = drill.stack
    with drill.load():
        drill.wait_for(answers=20)
        with locked(stack), drill.crowd.residents[0].twin() as resident:
            begun, body, key = time.monotonic(), filing(), new_key()
            while time.monotonic() - begun < LOCKED:
                answer = resident.post("tickets", body, key=key)
                assert answer.status_code in (503, 409), answer.text
                assert int(answer.headers["Retry-After"]) > 0
                for other in ("areas", "inbox", "events", "sessions/current"):
                    took = timed(stack, resident, other)
                    drill.report.measure("table locked: others answer", took, ANSWER_WITHIN)
        watch = Stopwatch(stack)
        drill.wait_for(answers=20)
        drill.report.measure("unlocked → 20 answers", watch.seconds, HEALED_WITHIN)

    drill.verify()


def timed(stack, client, path):
    """How long an answer took that must be a success."""
    watch = Stopwatch(stack)
    client.read(path)
    return watch.seconds
