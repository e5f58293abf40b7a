"""The event stream and the feed of real gateways: nothing missed, whatever is killed."""

import time

import pytest
from sqlalchemy import text

from chassis.testing import eventually
from tests.integration.gateway.event_source import EventSource, Publisher, Stage, event


@pytest.fixture
def stage(rabbitmq, postgres, free_port):
    """A stage of a test's own, for tests that break something."""
    stage = Stage(rabbitmq, postgres, free_port)
    yield stage
    stage.close()


@pytest.fixture
def small(rabbitmq, postgres, free_port):
    """A stage whose gateways keep so little in memory that most is read from the table."""
    stage = Stage(rabbitmq, postgres, free_port, {"LINLI_FEED_RING": "50"})
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def gateway(rabbitmq, postgres, free_port):
    """A gateway for tests that begin where the one before has ended."""
    stage = Stage(rabbitmq, postgres, free_port)
    with stage.gateway() as gateway:
        yield gateway
    stage.close()


def indexed(gateway, count, after=None):
    return eventually(lambda: len(gateway.pages(limit=200, after=after)) >= count)


def numbers(events):
    return [event["data"]["n"] for event in events]


def test_events_are_resumed_across_kills(small):
    with small.gateway() as gateway, EventSource(gateway) as source:
        for kill in range(3):
            small.publish(*range(kill * 500, kill * 500 + 250))
            gateway.kill()
            small.publish(*range(kill * 500 + 250, kill * 500 + 500))
            gateway.start()
            eventually(lambda at=kill: source.connections > at + 1, within=30)
        eventually(lambda: source.numbers[-1:] == [1499], within=30)

        ids = [told["id"] for _, told in source.seen]
        first = dict(reversed([(one, number) for number, one in enumerate(ids)]))
        once = [source.numbers[at] for at in sorted(first.values())]
        assert once == list(range(1500)), "nothing missed, order kept"
        assert len({*zip(ids, source.numbers, strict=True)}) == 1500, "doubles are the same event"
        assert len(source.seen) < 1600
        indexed(gateway, 1500)
        assert numbers(gateway.pages(limit=200)) == list(range(1500))


def test_an_event_arrives_at_once_and_the_client_knows_its_place_before(gateway):
    with EventSource(gateway) as source:
        epoch, _, offset = source.last.partition("-")
        started = time.monotonic()
        gateway.stage.publish(1)
        eventually(lambda: source.numbers == [1])
        assert time.monotonic() - started < 1

    assert source.seen[0][0] == f"{epoch}-{int(offset) + 1}"


def test_feed_and_stream_go_by_one_cursor(gateway):
    with EventSource(gateway) as source:
        begin = source.last
    gateway.stage.publish(*range(10))
    indexed(gateway, 10, begin)

    page = gateway.get(limit=4, after=begin).json()
    with EventSource(gateway, after=page["next"]) as source:
        eventually(lambda: len(source.seen) == 6)
    rest = gateway.get(after=source.seen[2][0], limit=200).json()

    assert numbers(page["items"]) == [0, 1, 2, 3]
    assert source.numbers == [4, 5, 6, 7, 8, 9]
    assert numbers(rest["items"]) == [7, 8, 9]
    assert rest["next"] is None
    assert source.seen[0][1] == gateway.get(after=page["next"], limit=1).json()["items"][0]


def test_everybody_gets_what_concerns_them_from_memory_and_from_the_table(gateway):
    stage = gateway.stage
    water, roads = stage.key("department", "water"), stage.key("department", "roads")
    with EventSource(gateway, token=water) as live:
        begin = live.last
        stage.publish(1, 2, department="water")
        stage.publish(3, department="roads", previous_department="water")
        stage.publish(4, 5, department="roads")
        stage.publish(6, department="power", area="340603009000")
        stage.publish(7, department="water")
        eventually(lambda: live.numbers == [1, 2, 3, 7])
    indexed(gateway, 7, begin)

    def told(**query):
        return numbers(gateway.pages(after=begin, **query))

    assert told(token=water) == [1, 2, 3, 7]
    assert told(token=roads) == [3, 4, 5]
    assert told(department="water") == [1, 2, 3, 7]
    assert told(token=roads, department="water") == [3]
    assert told(area="340603009000") == [6]
    assert told(area="340603000000", limit=2) == [1, 2, 3, 4, 5, 6, 7]
    assert told(type="linli.tickets.ticket_filed.v1") == []


def test_whoever_gets_nothing_still_learns_where_it_is(gateway):
    power = gateway.stage.key("department", "power")
    with EventSource(gateway) as everything, EventSource(gateway, token=power) as source:
        gateway.stage.publish(*range(20))
        eventually(lambda: len(everything.seen) == 20)
        eventually(lambda: source.last == everything.last, within=20)

    assert source.seen == []


def test_what_is_no_event_is_passed_over(gateway):
    with EventSource(gateway) as source:
        begin = source.last
        with Publisher(gateway.stage.amqp_uri) as publisher:
            for poison in (b"{", b"[]", b"\xff\xfe", b"x" * 1_000_000, b'{"specversion": "1.0"}'):
                publisher.publish(poison)
            for unstorable in ("\0", "\ud800", "x" * 5000):
                publisher.publish(event(1, department=unstorable))
            publisher.publish(event(2))
        eventually(lambda: source.numbers == [2])
        indexed(gateway, 1, begin)

        assert numbers(gateway.pages(after=begin)) == [2]
        assert gateway.get(after=source.last).json()["items"] == []


@pytest.mark.parametrize("cursor", ["x", "1-", "-5", "1-2-3"])
def test_a_malformed_cursor_is_refused(gateway, cursor):
    assert gateway.get(after=cursor).status_code == 422
    assert gateway.get("/stream", after=cursor).status_code == 422


def test_a_cursor_whose_sequel_cannot_be_told_is_gone(stage):
    with stage.gateway() as gateway:
        stage.publish(*range(10))
        indexed(gateway, 10)
        cursor = gateway.get(limit=200).json()["cursor"]
        epoch = cursor.partition("-")[0]
        assert cursor == f"{epoch}-9"

        def gone(after):
            refused = gateway.get(after=after), gateway.get("/stream", after=after)
            assert [answer.status_code for answer in refused] == [410, 410]
            return refused[0].json()

        assert gone(f"{epoch}-10")["reason"] == "ahead"
        assert gone(f"{int(epoch) + 1}-3")["reason"] == "other_epoch"
        gateway.kill()
        with stage.engine.begin() as connection:
            connection.execute(text("DELETE FROM feed WHERE log_offset < 5"))
        gateway.start()
        eventually(lambda: gateway.ready, within=30)
        expired = gone(f"{epoch}-3")
        assert (expired["reason"], expired["restart_from"]) == ("expired", f"{epoch}-4")
        assert expired["type"] == "/problems/cursor_gone"
        assert len(gateway.get(after=expired["restart_from"]).json()["items"]) == 5


def test_what_only_memory_has_any_more_is_streamed_and_not_paged(stage):
    """The stream may tell more than the table has; a page may not leave out what it has not."""
    with stage.gateway() as gateway:
        stage.publish(*range(10))
        indexed(gateway, 10)
        epoch = gateway.get(limit=200).json()["cursor"].partition("-")[0]
        with stage.engine.begin() as connection:
            connection.execute(text("DELETE FROM feed WHERE log_offset < 5"))

        refused = gateway.get(after=f"{epoch}-2")
        assert (refused.status_code, refused.json()["reason"]) == (410, "expired")
        assert refused.json()["restart_from"] == f"{epoch}-4"
        assert numbers(gateway.pages()) == [5, 6, 7, 8, 9]
        with EventSource(gateway, after=f"{epoch}-2") as source:
            eventually(lambda: source.numbers == [3, 4, 5, 6, 7, 8, 9])


def test_a_stream_made_anew_begins_a_new_epoch(stage):
    with stage.gateway() as gateway, EventSource(gateway) as source:
        stage.publish(1, 2, 3)
        eventually(lambda: source.numbers == [1, 2, 3])
        indexed(gateway, 3)
        old = source.last

        stage.delete_stream()
        stage.declare_stream()
        stage.publish(4, 5)
        eventually(lambda: source.refused is not None, within=20)

        assert source.refused[0] == 410
        assert source.refused[1]["reason"] == "other_epoch"
        eventually(lambda: numbers(gateway.pages()) == [4, 5])
        new = gateway.get(limit=200).json()["cursor"]
        assert new.partition("-")[0] > old.partition("-")[0]
        assert new.endswith("-1")


def test_another_gateway_takes_over_the_index(stage):
    with stage.gateway() as one, stage.gateway() as other, EventSource(other) as source:
        stage.publish(*range(100))
        indexed(other, 100)
        leader = one if "feed_indexer_active" in one.log else other
        follower = other if leader is one else one
        assert "feed_indexer_active" not in follower.log

        leader.kill()
        stage.publish(*range(100, 200))

        eventually(lambda: len(follower.pages(limit=200)) == 200, within=20)
        leader.start()
        eventually(lambda: source.numbers == list(range(200)), within=30)


def test_clients_of_a_gateway_that_has_read_nothing_yet_wait_without_the_table(stage):
    """A thousand of them would otherwise ask it thousands of times a second."""
    with (
        stage.gateway() as gateway,
        EventSource(gateway) as source,
        stage.engine.begin() as connection,
    ):
        connection.execute(text("LOCK TABLE feed_state"))
        # Longer than a client that looks again would take to do so.
        time.sleep(0.6)
        stage.publish(1)

        eventually(lambda: source.numbers == [1])


def test_more_than_memory_holds_may_come_while_the_table_cannot_be_written(small):
    with small.gateway() as gateway, EventSource(gateway) as source:
        small.publish(*range(20))
        indexed(gateway, 20)
        with small.engine.begin() as connection:
            connection.execute(text("LOCK TABLE feed IN EXCLUSIVE MODE"))
            small.publish(*range(20, 1000))
            time.sleep(1)

        eventually(lambda: source.numbers[-1:] == [999], within=40)
        assert source.numbers == list(range(1000))
        indexed(gateway, 1000)
        assert numbers(gateway.pages(limit=200)) == list(range(1000))


def test_the_gateway_stops_in_time_with_many_streams_open(stage):
    with stage.gateway() as gateway:
        sources = [EventSource(gateway) for _ in range(20)]
        for source in sources:
            source.__enter__()
        started = time.monotonic()

        assert gateway.stop() == 0

        assert time.monotonic() - started < 5
        for source in sources:
            source._leaving = True
