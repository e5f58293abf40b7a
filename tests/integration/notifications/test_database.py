"""The schema, and that the paths which are walked all the time do not grow with history."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, ProgrammingError

from chassis import inbox
from chassis.clock import now
from chassis.ids import new_id
from services.notifications import log, queries
from services.notifications.models import Base, Delivery, Notification, Preference
from services.notifications.outcome import State
from services.notifications.texts import Texts

HISTORY = 20_000
READER = uuid4()


def test_the_migrations_make_what_the_models_say(engine):
    ours = set(Base.metadata.tables)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    others = {*inbox.metadata.tables, "alembic_version"}
    assert ours
    assert [each for each in differences if not _is_about(each, others)] == []


def _is_about(difference, tables):
    thing = difference[1] if isinstance(difference, tuple) else difference[0]
    table = getattr(thing, "table", thing)
    return getattr(table, "name", None) in tables


def test_the_application_cannot_change_the_schema(engine):
    with engine.connect() as connection, pytest.raises(ProgrammingError):
        connection.execute(text("ALTER TABLE delivery ADD COLUMN phone text"))


def test_no_column_could_hold_a_number_or_a_name_of_a_person():
    columns = {column.name for table in Base.metadata.tables.values() for column in table.columns}
    assert not {name for name in columns if "phone" in name or "text" in name}
    named = {t.name for t in Base.metadata.tables.values() if "name" in t.columns}
    assert named == {"department"}


@pytest.mark.parametrize(
    "values",
    [
        {"state": "queued", "next_attempt_at": None},
        {"state": "delivered", "next_attempt_at": now()},
        {"state": "lost", "next_attempt_at": None},
    ],
)
def test_a_delivery_is_due_exactly_while_it_is_queued(session, values):
    row = {"id": new_id(), "purpose": "p", "channel": "sms", "created_at": now(), **values}
    with pytest.raises(IntegrityError):
        session.execute(insert(Delivery).values(row))
    session.rollback()


@pytest.fixture(scope="module")
def history(engine):
    """Years of news: all sent, nearly all read, much of it one reader's."""
    with engine.begin() as connection:
        news = [_news(i) for i in range(HISTORY)]
        connection.execute(insert(Notification), news)
        connection.execute(insert(Delivery), [_sent(each) for each in news[5:]])
        connection.execute(insert(Delivery), [_due(each) for each in news[:5]])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _news(i):
    at = now() - timedelta(minutes=HISTORY - i)
    return {
        "id": new_id(),
        "event": new_id(),
        "person": READER if i % 4 == 0 else UUID(int=i % 500),
        "purpose": "ticket_filed",
        "ticket": new_id(),
        "sequence": 1,
        "variables": {"number": "20260101-000001", "department": None},
        "at": at,
        "read_at": None if i % 1000 == 0 else at,
        "created_at": at,
    }


def _sent(news):
    return _delivery(news, channel="sms", state="delivered", next_attempt_at=None)


def _due(news):
    return _delivery(news, channel="sms", state="queued", next_attempt_at=now())


def _delivery(news, **values):
    row = {"id": new_id(), "notification": news["id"], "purpose": "ticket_filed"}
    row |= {"person": news["person"], "reason": "delivered"}
    counts = {"claim": 1, "provider_failures": 0, "waits": 0, "losses": 0}
    return {**row, **counts, "created_at": news["at"], **values}


def plan_of(session, query):
    """PostgreSQL's own plan, and how many blocks it read."""
    compiled = query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    lines = session.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {compiled}")).scalars()
    return "\n".join(lines)


@pytest.mark.usefixtures("history")
def test_looking_for_due_deliveries_sees_none_of_the_delivered(session):
    query = select(Delivery.id).where(Delivery.state == "queued", Delivery.next_attempt_at <= now())
    plan = plan_of(session, query.order_by(Delivery.next_attempt_at).limit(16))
    assert "delivery_due" in plan
    assert "Seq Scan" not in plan


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("deep", [False, True], ids=["the first page", "a page in the middle"])
def test_a_page_of_a_long_inbox_reads_that_page_only(session, deep):
    page = {"after": None, "limit": 20, "unread": False}
    if deep:
        page["limit"] = 200
        page["after"] = queries.inbox(session, Texts(), READER, "en", page)["next"]
    plan = plan_of(session, queries.inbox_query(READER, 20, page["after"]))
    assert "notification_inbox" in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan


@pytest.mark.usefixtures("history")
def test_the_unread_are_found_without_reading_the_read(session):
    plan = plan_of(session, queries.inbox_query(READER, 20, unread=True))
    assert "notification_unread" in plan
    assert "Rows Removed" not in plan


@pytest.mark.usefixtures("history")
def test_a_digest_is_found_without_reading_what_was_told_before(session):
    collected = select(Delivery.id).where(
        Delivery.person == READER, Delivery.state == State.COLLECTED
    )
    due = select(Preference.person).where(Preference.next_digest_at <= now())
    told = select(Delivery.id).where(Delivery.digest == uuid4())
    # Tables that are nearly empty are read whole whatever indexes there are.
    session.execute(text("SET LOCAL enable_seqscan = off"))
    for query, index in (
        (collected, "delivery_collected"),
        (due, "preference_digest_due"),
        (told, "delivery_in_digest"),
    ):
        plan = plan_of(session, query)
        assert index in plan
        assert "Rows Removed" not in plan


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "delivery_by_time"),
        ({"state": "failed"}, "delivery_by_state"),
        ({"reason": "provider_refused"}, "delivery_by_reason"),
        ({"person": UUID(int=7)}, "delivery_by_person"),
        ({"ticket": uuid4()}, "notification_of_ticket"),
        (
            {"since": now() - timedelta(days=3), "until": now() - timedelta(days=2)},
            "delivery_by_time",
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else value,
)
def test_a_page_of_the_log_is_read_from_one_index(session, filters, index):
    # Without statistics, which the application's user may not gather, a ticket seems to have
    # hundreds of messages.
    for join in ("hashjoin", "mergejoin"):
        session.execute(text(f"SET LOCAL enable_{join} = off"))
    plan = plan_of(session, log.deliveries_query({"limit": 20, **filters}))
    assert index in plan
    assert "Seq Scan on delivery" not in plan
    assert "Rows Removed" not in plan


@pytest.mark.usefixtures("history")
def test_what_is_old_is_found_from_its_beginning(session):
    before = now() - timedelta(days=3000)
    for model, index in (
        (Delivery, "delivery_by_time"),
        (Notification, "notification_by_time"),
    ):
        query = select(model.id).where(model.created_at < before).order_by(model.created_at)
        assert index in plan_of(session, query.limit(100))
