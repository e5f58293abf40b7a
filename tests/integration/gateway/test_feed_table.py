"""The feed table: what may be seen by SQL as by the rules, indexed once, forgotten in time."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.orm import Session

from chassis import migrate
from chassis.call import Actor, Call, Grant
from services.gateway import feed
from services.gateway.feed import Cursor, CursorMalformed, Item, NotTheIndexer, State
from services.gateway.feed_rules import Facts, Filters, Selection, tree_key
from services.gateway.ring import Ring

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
TYPES = ("linli.tickets.ticket_filed.v1", "linli.ticketsx.a_b.v1", "linli.residents.area_added.v1")
AREAS = ("340603000000", "340603008002", "340603008002.e1", "340603008002.e10", "3406030080_2", "")
PEOPLE = ("p1", "p2")
DEPARTMENTS = ("water", "water_works", "%")


@pytest.fixture(scope="module")
def database(postgres):
    urls = postgres.create_service_database("gateway")
    migrate.upgrade("services.gateway", urls["owner_url"], make_url(urls["app_url"]).username)
    engine = create_engine(urls["app_url"])
    yield engine
    engine.dispose()


@pytest.fixture
def feeding(database):
    """A session on an empty feed; nothing of it is kept."""
    with Session(database) as session:
        session.execute(text("DELETE FROM feed"))
        session.execute(text("DELETE FROM feed_state"))
        feed.prepare(session, NOON)
        yield session
        session.rollback()


def items(*offsets, facts=None):
    some = facts or Facts(TYPES[0], "s")
    return [Item(offset, f"d{offset}", f'{{"n": {offset}}}', some) for offset in offsets]


def body(fact):
    return json.dumps({"type": fact.type, "subject": fact.subject, "data": {}})


def everything(session, after, limit=100, until=1000):
    selection = Selection(None, frozenset({"any"}))
    return feed.events_after(session, after, selection, limit, until)


facts = st.builds(
    Facts,
    type=st.sampled_from(TYPES),
    subject=st.sampled_from(("s1", "s2")),
    area=st.sampled_from(AREAS).map(tree_key),
    departments=st.frozensets(st.sampled_from(DEPARTMENTS)),
    owners=st.frozensets(st.sampled_from(PEOPLE)),
    holders=st.frozensets(st.sampled_from(PEOPLE)),
    public=st.booleans(),
    hides=st.booleans(),
)
reaches = st.sampled_from(
    ["any", "own", "holder", "public", "nonsense", "area:", "department:"]
    + [f"area:{code}" for code in AREAS]
    + [f"department:{code}" for code in DEPARTMENTS]
)
grants = st.lists(
    st.builds(
        Grant, reach=reaches, may=st.frozensets(st.sampled_from(["read", "events.read", "file"]))
    ),
    max_size=4,
)
filters = st.builds(
    Filters,
    types=st.lists(st.sampled_from((*TYPES, "x")), max_size=2).map(tuple),
    area=st.none() | st.sampled_from(AREAS),
    department=st.none() | st.sampled_from(DEPARTMENTS),
    subject=st.none() | st.sampled_from(("s1", "s2", "s3")),
)


@given(st.lists(facts, max_size=8), st.sampled_from([*PEOPLE, None]), grants, filters)
@settings(max_examples=100)
def test_the_table_shows_exactly_what_the_rules_admit(feeding, found, actor, granted, asked):
    with feeding.begin_nested() as savepoint:
        made, ring = [Item(at, "d", body(fact), fact) for at, fact in enumerate(found)], Ring(10)
        for item in made:
            ring.append(item)
        for batch in filter(None, (made[:3], made[3:])):
            feed.store(feeding, feed.load_state(feeding, NOON), batch, NOON)
        epoch = feed.load_state(feeding, NOON).epoch
        call = Call(actor=Actor(actor, "person"), grants=tuple(granted))
        selection = Selection.of(call, asked)

        shown = feed.events_after(feeding, Cursor(epoch, -1), selection, 100, 1000)

        assert [at for at, _ in shown.items] == [
            item.offset for item in ring.after(-1, 100) if item.admitted_by(selection)
        ]
        savepoint.rollback()


def test_what_was_said_before_a_ticket_became_private_is_public_no_more(feeding):
    said, other = Facts(TYPES[0], "s", public=True), Facts(TYPES[0], "t", public=True)
    hiding = Facts(TYPES[0], "s", hides=True)
    state = feed.load_state(feeding, NOON)
    everybody = Selection(None, frozenset(), frozenset({"public"}))

    def seen():
        found = feed.events_after(feeding, Cursor(state.epoch, -1), everybody, 100, 1000)
        return [at for at, _ in found.items]

    def told(at, fact):
        return Item(at, "d", body(fact), fact)

    then = feed.store(feeding, state, [told(0, said), told(1, said), told(2, other)], NOON)
    assert seen() == [0, 1, 2]
    feed.store(feeding, then, [told(3, said), told(4, hiding), told(5, said)], NOON)
    assert seen() == [2, 5]


def test_messages_are_indexed_once(feeding):
    state = feed.load_state(feeding, NOON)
    after = feed.store(feeding, state, items(0, 1, 2), NOON)

    with pytest.raises(NotTheIndexer):
        feed.store(feeding, state, items(0, 1, 2), NOON)

    assert after == State(state.epoch, 2, "d2") == feed.load_state(feeding, NOON)
    assert [at for at, _ in everything(feeding, Cursor(state.epoch, -1)).items] == [0, 1, 2]


def test_a_page_says_how_far_it_looked(feeding):
    state = feed.load_state(feeding, NOON)
    epoch = state.epoch
    state = feed.store(feeding, state, items(0, 1), NOON)
    state = feed.store(feeding, state, [Item(2, "poison")], NOON)
    feed.store(feeding, state, items(3, facts=Facts(TYPES[2], "s")), NOON)

    first = everything(feeding, Cursor(epoch, -1), limit=2)
    rest = everything(feeding, Cursor(epoch, first.reached), until=3)
    done = everything(feeding, Cursor(epoch, rest.reached), until=3)
    ahead = everything(feeding, Cursor(epoch, 9), until=3)

    assert ([at for at, _ in first.items], first.reached) == ([0, 1], 1)
    assert ([at for at, _ in rest.items], rest.reached) == ([3], 3)
    assert (list(done.items), done.reached) == ([], 3)
    assert (list(ahead.items), ahead.reached) == ([], 9)


def test_only_one_gateway_begins_the_next_epoch(feeding):
    old = feed.load_state(feeding, NOON)

    first = feed.begin_epoch(feeding, old.epoch, NOON + timedelta(hours=1))
    second = feed.begin_epoch(feeding, old.epoch, NOON + timedelta(hours=2))

    assert first == second == State(int((NOON + timedelta(hours=1)).timestamp()))


def test_an_epoch_is_later_than_the_last_though_the_clock_is_not(feeding):
    old = feed.load_state(feeding, NOON)

    assert feed.begin_epoch(feeding, old.epoch, NOON - timedelta(days=1)).epoch == old.epoch + 1


def test_old_days_are_dropped_by_a_user_who_owns_nothing(feeding):
    state = feed.load_state(feeding, NOON)
    for day in range(3):
        moment = NOON + timedelta(days=day)
        feed.prepare(feeding, moment)
        state = feed.store(feeding, state, items(day), moment)

    dropped = feed.forget(feeding, NOON + timedelta(days=31), 30)

    assert dropped == 1
    assert feed.oldest(feeding, state.epoch) == 1
    assert feed.digest_at(feeding, state.epoch, 0) is None
    assert feed.digest_at(feeding, state.epoch, 1) == "d1"


def test_the_application_may_not_make_tables_of_its_own(feeding):
    owner = feeding.scalar(text("SELECT tableowner FROM pg_tables WHERE tablename LIKE 'feed_2%'"))

    assert owner == "linli_gateway_owner"


@pytest.mark.parametrize(
    "bad", ["", "1", "1-", "-1", "1--2", "0-1", "1-01", "a-b", "9" * 19 + "-1"]
)
def test_a_malformed_cursor_is_refused(bad):
    with pytest.raises(CursorMalformed):
        Cursor.parse(bad)


def test_a_cursor_is_written_as_it_is_read():
    for text_of_it in ("1795315200-0", "1795315200-917", "1795315200--1"):
        assert str(Cursor.parse(text_of_it)) == text_of_it
