"""A full disk, under PostgreSQL and under the broker: filing says when to come back, nothing that
was confirmed is lost, and all goes on when there is room again.
"""

import time

import psycopg2
import pytest

from chassis.testing import eventually
from deploy.databases import SERVICES
from deploy.local.postgres import connect
from deploy.local.rabbitmq import MEGABYTE
from deploy.local.supervisor import start_again
from tests.faults.alarms import has_alarms
from tests.faults.away import refused_in_time, says_degraded
from tests.faults.load import send
from tests.faults.small_disk import on_small_disk
from tests.faults.vitals import Stopwatch
from tests.stack.clients import filing, new_key

pytestmark = pytest.mark.timeout(500)
FULL, HEALED_WITHIN = 10.0, 5.0
"""Seconds."""


def test_a_full_disk_under_the_database_loses_nothing(drill):
    stack, server = drill.stack, drill.stack.postgres
    with on_small_disk(server, room=200 * MEGABYTE) as disk:
        stack.wait_ready()
        body, key = filing(), new_key()
        with drill.load(), drill.crowd.residents[0].twin() as resident:
            drill.wait_for(answers=20)
            disk.fill()
            use_up_the_log(server)
            assert "PANIC" in server.log()
            full = time.monotonic()
            while time.monotonic() - full < FULL:
                refused_in_time(drill, "disk of the database full", resident, body, key)
                supervise(server)

            disk.free()
            eventually(lambda: supervise(server), within=60)
            watch = Stopwatch(stack)
            eventually(lambda: send(resident, "tickets", body, key)[0].status == 201, within=30)
            drill.report.measure("room again → a filing succeeds", watch.seconds, HEALED_WITHIN)
            stack.wait_ready()
            drill.wait_for(answers=20)

        drill.verify()


def supervise(server):
    """Do what `make up` does when a server has ended, which needs room; whether it answers."""
    if not server.running:
        start_again(server, print)
    return server.answers()


def use_up_the_log(server):
    """Begin one segment of the write-ahead log after the other until there is no room for one."""
    connection = connect(server.url())
    connection.autocommit = True
    with pytest.raises(psycopg2.Error):
        exhaust(connection.cursor())


def exhaust(cursor):
    """Until the server fails."""
    while True:
        cursor.execute("SELECT pg_switch_wal(), txid_current()")


def test_a_full_disk_under_the_broker_loses_nothing(drill):
    """The alarm comes first, so that what is left is for what must still be written."""
    stack, broker = drill.stack, drill.stack.rabbitmq
    limit = broker.limits["disk_free"]
    with on_small_disk(broker, room=limit + 300 * MEGABYTE) as disk:
        stack.wait_ready()
        body, key = filing(), new_key()
        with drill.load(), drill.crowd.residents[0].twin() as resident:
            drill.wait_for(answers=20)
            for leave in (limit // 2, 0):
                disk.fill(leave)
                for name in SERVICES:
                    eventually(lambda name=name: says_degraded(stack, name), within=30)
                full = time.monotonic()
                while time.monotonic() - full < FULL:
                    refused_in_time(drill, "disk of the broker full", resident, body, key)
                    time.sleep(0.5)

            disk.free()
            eventually(lambda: supervise(broker), within=60)
            # It looks at its disk every ten seconds at most: that long it takes to notice.
            eventually(lambda: not has_alarms(broker), within=30)
            watch = Stopwatch(stack)
            eventually(lambda: send(resident, "tickets", body, key)[0].status == 201, within=30)
            drill.report.measure("room again → a filing succeeds", watch.seconds, HEALED_WITHIN)
            stack.wait_ready()
            drill.wait_for(answers=20)

        drill.verify()
