"""`linli dead-letters`: looking at what could not be handled, and sending it back."""

import json

import pytest

from chassis.testing import eventually
from chassis.topology import headers_to_carry
from deploy import cli, dead_letters
from tests.integration.bus.wire import CONSUMER, count, event, ids, message, publish

pytestmark = pytest.mark.usefixtures("emptied")

DEAD = f"{CONSUMER}.dead"
WHY = {
    "linli-attempts": 5,
    "linli-dead-reason": "unknown_area",
    "linli-dead-detail": "There is no such area.",
    "linli-dead-at": "2026-03-01T09:00:00+08:00",
}


@pytest.fixture
def linli(broker, capsys):
    """Runs the command and returns its JSON answer."""

    def run(*arguments):
        environ = {
            "LINLI_AMQP_URI": broker.amqp_uri,
            "LINLI_RABBITMQ_MANAGEMENT_URL": broker.management_url,
        }
        status = cli.main(["dead-letters", *arguments, "--json"], environ)
        written = capsys.readouterr()
        assert status == 0, written.err
        return json.loads(written.out)

    return run


def bury(channel, *events, **headers):
    for each in events:
        publish(channel, each, DEAD, exchange="", **{**WHY, **headers})


def test_the_list_counts_them_for_each_consumer(linli, channel):
    bury(channel, event(), event())

    assert linli("list")["queues"] == {CONSUMER: 2}
    assert linli("list", "--queue", CONSUMER)["queues"] == {CONSUMER: 2}


def test_showing_tells_the_event_and_why_it_died_and_changes_nothing(linli, channel):
    first, second = event(), event()
    bury(channel, first, second)

    for _ in range(3):
        letters = linli("show", CONSUMER)["letters"]

        assert [letter["event"] for letter in letters] == [first, second]
        assert letters[0]["id"] == first["id"]
        assert letters[0]["reason"] == "unknown_area"
        assert letters[0]["detail"] == "There is no such area."
        assert letters[0]["attempts"] == 5
        given_back(channel, 2)
    assert len(linli("show", CONSUMER, "--limit", "1")["letters"]) == 1
    given_back(channel, 2)


def given_back(channel, letters):
    """The broker takes messages back a moment after the channel that held them is closed."""
    eventually(lambda: count(channel, DEAD) == letters)


def test_showing_copes_with_what_is_no_event(linli, channel):
    body = message({})
    body.body = b"\xff\xfe broken"
    channel.basic_publish(body, "", DEAD)
    publish(channel, ["no", "event"], DEAD, exchange="")

    letters = linli("show", CONSUMER)["letters"]

    assert "broken" in letters[0]["event"]
    assert letters[0]["reason"] == "unknown"
    assert letters[1]["event"] == '["no", "event"]'


def test_replay_sends_all_back_in_order_and_without_their_past(linli, channel):
    sent = [event() for _ in range(3)]
    bury(channel, *sent, traceparent="00-a-b-01")

    assert linli("replay", CONSUMER, "--all", "--yes") == {"replayed": 3}

    back = channel.basic_get(CONSUMER, no_ack=True)
    assert json.loads(back.body) == sent[0]
    assert headers_to_carry(back.headers) == {"traceparent": "00-a-b-01"}
    assert back.content_type == "application/cloudevents+json; charset=utf-8"
    assert back.properties["delivery_mode"] == 2
    assert ids(channel, CONSUMER) == [each["id"] for each in sent[1:]]


def test_replay_twice_sends_them_once(linli, channel):
    sent = event()
    bury(channel, sent)

    assert linli("replay", CONSUMER, "--all", "--yes") == {"replayed": 1}
    assert linli("replay", CONSUMER, "--all", "--yes") == {"replayed": 0}

    assert ids(channel, CONSUMER) == [sent["id"]]
    assert count(channel, DEAD) == 0


def test_replay_of_some_leaves_the_others(linli, channel):
    sent = [event() for _ in range(4)]
    bury(channel, *sent)

    wanted = ["--id", sent[1]["id"], "--id", sent[3]["id"]]

    assert linli("replay", CONSUMER, *wanted, "--yes") == {"replayed": 2}
    assert ids(channel, CONSUMER) == [sent[1]["id"], sent[3]["id"]]
    given_back(channel, 2)
    assert ids(channel, DEAD) == [sent[0]["id"], sent[2]["id"]]


def test_what_was_rejected_and_replayed_can_be_put_off_again(linli, channel):
    """Seeing its own traces in the headers, the broker would take a second return for a cycle."""
    publish(channel, event("linli.residents.area_added.v1"), "area.added.v1.none.340603")
    channel.basic_reject(channel.basic_get(CONSUMER).delivery_tag, requeue=False)
    eventually(lambda: count(channel, DEAD) == 1)

    linli("replay", CONSUMER, "--all", "--yes")

    headers = channel.basic_get(CONSUMER, no_ack=True).headers
    assert not [name for name in headers if name.endswith(("-death", "-death-queue"))]


def test_many_are_replayed(linli, channel):
    sent = [event() for _ in range(450)]
    for each in sent:
        channel.basic_publish(message(each, **WHY), "", DEAD)
    eventually(lambda: count(channel, DEAD) == len(sent))

    assert linli("replay", CONSUMER, "--all", "--yes") == {"replayed": 450}
    assert ids(channel, CONSUMER) == [each["id"] for each in sent]


def test_a_replay_that_the_queue_refuses_loses_nothing(broker, channel, capsys):
    bury(channel, *[event() for _ in range(5)])
    full = {"pattern": f"^{CONSUMER}$", "definition": {"max-length": 2}, "apply-to": "queues"}
    broker.management.put("policies", broker.vhost, "full", body=full)
    replay = ["dead-letters", "replay", CONSUMER, "--all", "--yes"]
    environ = {
        "LINLI_AMQP_URI": broker.amqp_uri,
        "LINLI_RABBITMQ_MANAGEMENT_URL": broker.management_url,
    }
    try:
        # A queue may run over its limit a little before it refuses.
        while (status := cli.main(replay, environ)) == 0:
            bury(channel, event())
    finally:
        broker.management.delete("policies", broker.vhost, "full")

    assert status == 1
    assert "did not take" in capsys.readouterr().err
    eventually(lambda: count(channel, DEAD) >= 1)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["show", "tickets.on_nothing"], 1),
        (["replay", "tickets.on_nothing", "--all", "--yes"], 1),
        (["replay", CONSUMER, "--all"], 1),
    ],
    ids=["show an unknown queue", "replay an unknown queue", "replay without being asked"],
)
def test_what_makes_no_sense_is_refused(broker, capsys, arguments, status):
    environ = {
        "LINLI_AMQP_URI": broker.amqp_uri,
        "LINLI_RABBITMQ_MANAGEMENT_URL": broker.management_url,
    }

    assert cli.main(["dead-letters", *arguments], environ) == status
    assert capsys.readouterr().err.startswith("linli: ")


def test_what_is_dropped_is_told_and_gone_and_the_rest_is_kept(linli, channel):
    first, second, third = event(), event(), event()
    bury(channel, first, second, third)

    dropped = linli("drop", CONSUMER, "--id", second["id"], "--yes")

    assert dropped == {"queue": CONSUMER, "dropped": [second["id"]]}
    eventually(lambda: count(channel, DEAD) == 2)
    letters = linli("show", CONSUMER)["letters"]
    assert [letter["id"] for letter in letters] == [first["id"], third["id"]]
    assert linli("drop", CONSUMER, "--all", "--yes")["dropped"] == [first["id"], third["id"]]
    eventually(lambda: count(channel, DEAD) == 0)
    assert count(channel, CONSUMER) == 0


def test_a_letter_that_was_not_told_is_not_dropped(broker, channel):
    first, second = event(), event()
    bury(channel, first, second)

    told = dead_letters.drop(broker, CONSUMER)
    assert next(told).id == first["id"]
    told.close()

    eventually(lambda: count(channel, DEAD) == 2)


def test_dropping_without_a_yes_drops_nothing(broker, channel, capsys):
    bury(channel, event())
    environ = {
        "LINLI_AMQP_URI": broker.amqp_uri,
        "LINLI_RABBITMQ_MANAGEMENT_URL": broker.management_url,
    }

    assert cli.main(["dead-letters", "drop", CONSUMER, "--all"], environ) == 1

    assert "--yes" in capsys.readouterr().err
    assert count(channel, DEAD) == 1
