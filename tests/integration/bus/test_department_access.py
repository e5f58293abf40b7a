"""`linli departments`: giving, renewing and taking away a department's access."""

import json
import subprocess

import pytest
from amqp.exceptions import AccessRefused, ConnectionForced
from cloudevents.core.bindings.amqp import AMQPMessage, from_amqp_event
from kombu import Connection

from chassis.testing import eventually
from deploy import cli, permissions
from tests.integration.bus.wire import channel_of, count, event, publish

TO_LINES = ["sh", "-c", "cat; echo"]


@pytest.fixture
def linli(broker, capsys, code):
    """Runs the command about `code`'s department, and returns its exit status and JSON answer."""
    environ = {
        "LINLI_AMQP_URI": broker.amqp_uri,
        "LINLI_RABBITMQ_MANAGEMENT_URL": broker.management_url,
    }

    def run(command, *more):
        status = cli.main(["departments", command, code, *more, "--json"], environ)
        out = capsys.readouterr().out
        return status, json.loads(out) if out else None

    yield run
    if code in permissions.granted_departments(broker.snapshot()):
        permissions.revoke(broker, code, delete_queues=True)


def test_a_grant_prints_an_address_that_works_and_only_once(linli, code):
    _, answer = linli("grant")

    with channel_of(answer["amqp_uri"]) as channel:
        assert count(channel, f"{code}.events") == 0
    assert linli("grant") == (0, {"department": code, "amqp_uri": None})
    with channel_of(answer["amqp_uri"]) as channel:
        assert count(channel, f"{code}.events") == 0


def test_a_grant_repeated_brings_back_what_was_deleted(linli, code, channel):
    linli("grant")
    channel.queue_delete(f"{code}.events")

    linli("grant")

    publish(channel, event(), f"ticket.filed.v1.{code}.340603")
    assert count(channel, f"{code}.events") == 1


def test_a_new_password_ends_what_the_old_one_opened(linli):
    _, granted = linli("grant")
    with Connection(granted["amqp_uri"]) as old:
        old.connect()
        _, rotated = linli("rotate", "--yes")

        with pytest.raises(ConnectionForced):
            old.drain_events(timeout=10)
    with Connection(granted["amqp_uri"]) as refused, pytest.raises(AccessRefused):
        refused.connect()
    with channel_of(rotated["amqp_uri"]):
        pass


def test_access_that_is_revoked_ends_at_once_and_the_events_are_kept(linli, code, channel):
    _, granted = linli("grant")
    publish(channel, event(), f"ticket.filed.v1.{code}.340603")
    with Connection(granted["amqp_uri"]) as open_one:
        open_one.connect()
        assert linli("revoke", "--yes")[0] == 0

        with pytest.raises(ConnectionForced):
            open_one.drain_events(timeout=10)
    with Connection(granted["amqp_uri"]) as refused, pytest.raises(AccessRefused):
        refused.connect()
    assert count(channel, f"{code}.events") == 1


def test_all_that_a_department_had_can_be_deleted_with_its_access(linli, code, broker):
    linli("grant")

    linli("revoke", "--yes", "--delete-queues")

    snapshot = broker.snapshot()
    left = [*snapshot.queues, *snapshot.policies, *snapshot.users]
    assert not [name for name in left if code in name]


@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_a_department_without_access_has_none_to_lose(linli, command):
    assert linli(command, "--yes") == (1, None)


@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_nothing_is_taken_away_without_being_asked(linli, code, broker, command):
    linli("grant")

    assert linli(command) == (1, None)
    assert code in permissions.granted_departments(broker.snapshot())


@pytest.mark.parametrize("name", ["tickets", "Water", "wa.ter", "none"])
def test_a_name_that_is_none_is_refused(broker, capsys, name):
    environ = {
        "LINLI_AMQP_URI": broker.amqp_uri,
        "LINLI_RABBITMQ_MANAGEMENT_URL": broker.management_url,
    }

    assert cli.main(["departments", "grant", name], environ) == 1
    assert "lower-case letters" in capsys.readouterr().err


def test_a_missing_setting_is_named(capsys):
    assert cli.main(["departments", "list"], {}) == 2
    assert "LINLI_AMQP_URI" in capsys.readouterr().err


def test_a_broker_that_is_away_is_said_to_be(capsys, free_port):
    environ = {
        "LINLI_AMQP_URI": f"amqp://a:secret@127.0.0.1:{free_port()}/v",
        "LINLI_RABBITMQ_MANAGEMENT_URL": f"http://a:secret@127.0.0.1:{free_port()}",
    }

    assert cli.main(["departments", "list"], environ) == 3
    assert "secret" not in capsys.readouterr().err


def test_amqp_consume_prints_complete_events(granted, code, channel, amqp_tools):
    uri = granted(code)
    sent = [event(sequence=f"{number:010d}") for number in range(3)]
    for each in sent:
        publish(channel, each, f"ticket.resolved.v1.{code}.340603.008.002.e1.g2")
    publish(channel, event(), "ticket.resolved.v1.roads.340603")

    printed = subprocess.run(
        ["amqp-consume", f"--url={uri}", "-q", f"{code}.events", "-c", "3", "--", *TO_LINES],
        env=amqp_tools,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert [json.loads(line) for line in printed.stdout.splitlines()] == sent
    assert count(channel, f"{code}.events") == 0


def test_the_cloudevents_sdk_reads_what_the_queue_holds(granted, code, channel):
    uri = granted(code)
    sent = event()
    publish(channel, sent, f"ticket.resolved.v1.{code}.340603")

    with channel_of(uri) as water:
        got = water.basic_get(f"{code}.events", no_ack=True)
    properties = {"content-type": got.content_type}
    read = from_amqp_event(AMQPMessage(properties, {}, got.body.encode()))

    assert read.get_id() == sent["id"]
    assert read.get_type() == sent["type"]
    assert read.get_subject() == sent["subject"]
    assert read.get_data() == sent["data"]
    assert read.get_attributes()["sequence"] == sent["sequence"]


@pytest.fixture
def listed(broker, code, capsys):
    """Lists the department's queues, as an operator or their cron job would."""
    environ = {
        "LINLI_AMQP_URI": broker.amqp_uri,
        "LINLI_RABBITMQ_MANAGEMENT_URL": broker.management_url,
    }

    def listed(*more):
        status = cli.main(["departments", "list", *more, "--json"], environ)
        found = json.loads(capsys.readouterr().out)["queues"]
        return status, [each for each in found if each["department"] == code]

    return listed


def test_a_queue_that_fills_up_is_told_before_it_drops_anything(linli, listed, code, channel):
    linli("grant")
    assert listed()[1][0]["readers"] == 0
    assert listed("--over", "1")[1] == []
    # 256 MiB are its limit: three of a mebibyte each are more than one percent.
    for _ in range(3):
        publish(channel, "x" * (1 << 20), f"ticket.filed.v1.{code}.340603")

    def full():
        # The broker counts messages and bytes apart, and some seconds late.
        status, found = listed("--over", "1")
        return (status, *found) if found and found[0]["messages"] == 3 else None

    status, backlog = eventually(full, within=30)
    assert status == 1
    assert backlog["percent"] == pytest.approx(1.2, abs=0.1)


def test_a_queue_that_nobody_reads_is_told_and_one_that_is_gone(linli, listed, code, channel):
    linli("grant")
    linli("add-queue", "billing")
    assert listed("--unread") == (0, [])
    publish(channel, event(), f"ticket.filed.v1.{code}.340603")

    status, (unread,) = eventually(lambda: _found(listed("--unread")), within=30)
    assert (status, unread["queue"], unread["messages"]) == (1, f"{code}.events", 1)

    channel.queue_delete(f"{code}.events")
    status, (gone,) = eventually(lambda: _found(listed("--over", "80")))
    assert (status, gone["queue"], gone["missing"]) == (1, f"{code}.events", True)


def _found(told):
    return told if told[1] else None


def test_a_further_queue_comes_and_goes(linli, listed, code):
    linli("grant")
    assert linli("add-queue", "billing") == (0, {"department": code, "queue": f"{code}.billing"})
    assert [each["queue"] for each in listed()[1]] == [f"{code}.billing", f"{code}.events"]

    assert linli("remove-queue", "billing")[0] == 1
    assert linli("remove-queue", "billing", "--yes")[0] == 0

    assert [each["queue"] for each in listed()[1]] == [f"{code}.events"]
    assert linli("remove-queue", "billing", "--yes")[0] == 1
    assert linli("add-queue", "log")[0] == 1
