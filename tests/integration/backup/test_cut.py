"""The cut through databases: it waits for what is under way, and lets nobody wait for long."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, insert, make_url, select, text
from sqlalchemy.pool import NullPool

from chassis import migrate
from chassis.ids import new_id
from chassis.inbox import inbox
from chassis.outbox import outbox
from chassis.testing import eventually
from deploy.backup import cut as cuts
from deploy.commands import Refused

SOMEBODY_WAITS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def urls(postgres):
    """Owners' URLs of two databases: one that emits and consumes, one that only consumes."""
    made = {}
    for service in ("tickets", "notifications"):
        database = postgres.create_service_database(service)
        user = str(make_url(database["app_url"]).username)
        migrate.upgrade(f"services.{service}", database["owner_url"], user)
        made[service] = database["owner_url"]
    return made


@pytest.fixture
def connect(urls):
    """Opens a connection to a service's database; all are closed afterwards."""
    opened = []

    def one(service):
        opened.append(create_engine(urls[service], poolclass=NullPool).connect())
        return opened[-1]

    yield one
    for connection in opened:
        connection.close()


def emit(connection):
    row = {"event_id": new_id(), "routing_key": "x", "body": "{}", "traceparent": ""}
    connection.execute(insert(outbox).values(**row))
    return row["event_id"]


def handle(connection, event):
    connection.execute(insert(inbox).values(consumer="c", event_id=event))


def seen(made, service, column):
    return set(made.connections[service].scalars(select(column)))


def test_a_transaction_under_way_is_waited_for_and_is_in_the_cut(urls, connect):
    writing = connect("tickets")
    watching = connect("tickets").execution_options(isolation_level="AUTOCOMMIT")
    event = emit(writing)

    def end():
        eventually(lambda: watching.scalar(text(SOMEBODY_WAITS)))
        writing.commit()

    ending = threading.Thread(target=end)
    ending.start()
    with cuts.cut(urls, lambda: None) as made:
        ending.join()
        assert event in seen(made, "tickets", outbox.c.event_id)


def test_what_comes_after_the_cut_is_not_in_it_and_does_not_wait(urls, connect):
    with cuts.cut(urls, lambda: None) as made:
        tickets, notifications = connect("tickets"), connect("notifications")
        later = emit(tickets)
        tickets.commit()
        handle(notifications, later)
        notifications.commit()

        assert later not in seen(made, "tickets", outbox.c.event_id)
        assert later not in seen(made, "notifications", inbox.c.event_id)
        assert made.at <= datetime.now(UTC)


def test_nobody_writes_while_the_mark_is_put(urls, connect):
    refused = []

    def mark():
        for service, write in (("tickets", emit), ("notifications", lambda c: handle(c, new_id()))):
            connection = connect(service)
            connection.execute(text("SET LOCAL lock_timeout = 100"))
            try:
                write(connection)
            except Exception as error:  # noqa: BLE001 - which one is what is asked
                refused.append(getattr(error.orig, "pgcode", None))

    with cuts.cut(urls, mark):
        assert refused == ["55P03", "55P03"]


def test_a_snapshot_is_what_others_can_look_at_it_by(urls, connect):
    before = connect("tickets")
    event = emit(before)
    before.commit()
    with cuts.cut(urls, lambda: None) as made:
        other = connect("tickets").execution_options(isolation_level="REPEATABLE READ")
        other.execute(text(f"SET TRANSACTION SNAPSHOT '{made.snapshots['tickets']}'"))
        assert event in set(other.scalars(select(outbox.c.event_id)))


def test_a_transaction_that_does_not_end_is_given_up_on_and_nobody_is_kept_waiting(
    urls, connect, monkeypatch
):
    monkeypatch.setattr(cuts, "TRIES", 2)
    writing = connect("tickets")
    emit(writing)

    with pytest.raises(Refused, match="does not end"), cuts.cut(urls, lambda: None):
        pytest.fail("there is no cut")

    other = connect("tickets")
    other.execute(text("SET LOCAL lock_timeout = 100"))
    assert emit(other)
