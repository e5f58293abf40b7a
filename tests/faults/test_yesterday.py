"""What was set aside and comes back: dead letters replayed twice, and yesterday's databases under
today's broker.
"""

import contextlib
import shutil

import amqp
import pytest

from chassis import relay, topology
from chassis.events import CONTENT_TYPE
from chassis.testing import eventually
from deploy.databases import SERVICES, connect
from tests.stack.wire import channel, depths, take_all

pytestmark = pytest.mark.timeout(300)
QUEUE = "notifications.on_ticket_filed"


def test_dead_letters_that_are_replayed_twice_have_their_effect_once(drill):
    stack, uri, dead = drill.stack, drill.stack.rabbitmq.amqp_uri, topology.dead_queue(QUEUE)
    stack.stop("notifications")
    with drill.load(stories=6) as load:
        load.join()
    # As though an operator's mistake had had them all refused.
    letters = take_all(uri, QUEUE)
    assert len(letters) >= 6
    put_all(uri, dead, letters)
    stack.restart("notifications")

    for _ in range(2):
        stack.linli("dead-letters", "replay", QUEUE, "--all", "--yes")
        eventually(lambda: depths(uri, [dead])[dead] == 0)
        drill.verify()
        put_all(uri, dead, letters)

    take_all(uri, dead)


def test_yesterdays_databases_under_todays_broker_have_every_effect_once(drill):
    """Yesterday's outbox is published again, with the same ids, to consumers who have forgotten
    that they ever had it.
    """
    stack, server = drill.stack, drill.stack.postgres
    yesterday = server.folder.parent / "yesterday"
    stop_all(stack)
    with relays_held(stack):
        start_all(stack)
        with drill.load(stories=8) as load:
            load.join()
        assert stack.value("tickets", "SELECT count(*) FROM outbox") > 8
        kept = drill.ledger.entries()
        stop_all(stack)
    server.stop()
    shutil.copytree(server.folder / "data", yesterday, symlinks=True)
    start_all(stack)
    with drill.load(stories=4) as load:
        load.join()
    eventually(lambda: stack.value("tickets", "SELECT count(*) FROM outbox") == 0, within=30)

    stop_all(stack)
    server.stop()
    bring_back(server, yesterday)
    start_all(stack)

    drill.ledger.forget_all_but(kept)
    found = drill.verify(texts_again=True)
    ids = [seen.id for seen in found.wire]
    assert len(ids) > len(set(ids)), "nothing came again: was the outbox empty?"


@contextlib.contextmanager
def relays_held(stack):
    """Tickets' relays stand by meanwhile, for somebody else has their lock."""
    connection = connect(stack.postgres.url("linli_tickets"))
    try:
        connection.cursor().execute("SELECT pg_advisory_lock(%s)", (relay.LOCK,))
        yield
    finally:
        connection.close()


def stop_all(stack):
    """End every service that runs."""
    for name in SERVICES:
        if stack.running(name):
            stack.stop(name)


def start_all(stack):
    """PostgreSQL, then every service."""
    if not stack.postgres.running:
        stack.postgres.start()
    for name in SERVICES:
        stack.start(name)
    stack.wait_ready()


def bring_back(server, copy):
    """The data as it was, with its owner."""
    data = server.folder / "data"
    owner = data.stat()
    shutil.rmtree(data)
    copy.rename(data)
    for path in (data, *data.rglob("*")):
        if not path.is_symlink():
            shutil.chown(path, owner.st_uid, owner.st_gid)


def put_all(uri, queue, messages):
    """Put messages into a queue as they were."""
    with channel(uri) as putting:
        for each in messages:
            message = amqp.Message(each.body, content_type=CONTENT_TYPE, delivery_mode=2)
            putting.basic_publish(message, "", queue)
