"""The drill: a system is backed up while people use it, everything is lost, and it comes back on
empty servers as it was; and what a restore refuses before it writes anything.
"""

import json
import shutil
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import requests

from chassis.testing import eventually
from chassis.topology import LOG_STREAM
from deploy.databases import SERVICES
from deploy.local import places
from tests.stack.clients import Community, filing, new_key
from tests.stack.stack import Stack
from tests.stack.wire import channel, read_log

pytestmark = pytest.mark.timeout(600)

KEYS = ("LINLI_MASTER_KEYS", "LINLI_BLIND_INDEX_KEY", "LINLI_SECRET", "LINLI_WEBHOOK_KEY")
BUSY_AREA = "340603008002.e1.g1.b1"
MOVES = [
    ("staff", "acceptance", {}),
    ("staff", "assignment", {"department": "water"}),
    ("water", "work", {}),
    ("water", "resolution", {"summary": "The pipe is new."}),
    ("resident", "follow-up", {"solved": "yes", "satisfied": "yes"}),
]


class Filing(threading.Thread):
    """Light load: a filing after the other, and what was answered, by Idempotency-Key."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.over = client, threading.Event()
        self.asked, self.answered, self.refused = {}, {}, []

    def run(self):
        while not self.over.is_set():
            key, body = new_key(), filing()
            self.asked[key] = body
            with suppress(requests.RequestException):
                answer = self.client.post("tickets", body, key=key)
                if answer.ok:
                    self.answered[key] = answer.json()["id"]
                else:
                    self.refused.append(answer.status_code)

    def stop(self):
        self.over.set()
        self.join()


class Before:
    """What the system knew that is lost."""


def client_of(community, who):
    return community.resident() if who == "resident" else community.staff(who)


def tickets_in_all_states(community):
    """One that went each number of steps, oldest first."""
    made = []
    for steps in range(len(MOVES) + 1):
        ticket = community.resident().make("tickets", filing(category="water.no_supply"))
        for who, name, body in MOVES[:steps]:
            ticket = client_of(community, who).move(ticket, name, body)
        made.append(ticket)
    return made


def shown(community, tickets):
    """All that people see of these tickets, and of a period."""
    staff, resident = community.staff("secretary"), community.resident()
    return {
        "tickets": [staff.read(f"tickets/{each['id']}") for each in tickets],
        "history": [staff.items(f"tickets/{each['id']}/history") for each in tickets],
        "inbox": [
            {name: item[name] for name in ("id", "purpose", "ticket", "at", "body")}
            for item in resident.items("inbox")
            if item["ticket"] in {each["id"] for each in tickets}
        ],
        "no_supply": staff.read("rates", params={"category": "water.no_supply"}),
        "ledger": [
            entry
            for entry in staff.read("ledger", params={"format": "json"})["items"]
            if entry["number"] in {each["number"] for each in tickets}
        ],
    }


def drained(uri, queue, wanted):
    """The ids of so many events from a queue, acknowledged."""
    found = []
    with channel(uri) as reading:
        while len(found) < wanted:
            message = eventually(lambda: reading.basic_get(queue))
            found.append(json.loads(message.body)["id"])
            reading.basic_ack(message.delivery_tag)
    return found


def waiting(uri, queue):
    with channel(uri) as looking:
        return looking.queue_declare(queue, passive=True).message_count


def logged(uri, stream=LOG_STREAM):
    """Every event of a stream; what a backup marked in it is none."""
    return [
        json.loads(each.body)
        for each in read_log(uri, stream=stream)
        if b'"specversion"'
        in bytes(each.body if isinstance(each.body, bytes) else each.body.encode())
    ]


def same_place(uri, elsewhere):
    """The same account on another server."""
    account = urlsplit(uri).netloc.rpartition("@")[0]
    parts = urlsplit(elsewhere)
    return parts._replace(netloc=f"{account}@{parts.netloc.rpartition('@')[2]}").geturl()


def linli(stack, *arguments, **variables):
    """The operator's command, whatever comes of it."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments],
        env={**stack.environment.of_operator(), **variables},
        cwd=places.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder():
    made = places.scratch()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def before(folder):
    """A system with a history, backed up under load into `folder/backup`, and then gone."""
    stack, lost = Stack(folder / "first"), Before()
    stack.up()
    try:
        community = Community(stack.ready)
        tickets = tickets_in_all_states(community)
        observer = stack.ready["amqp_uri"]
        lost.water_uri = stack.ready["departments"]["water"]["amqp_uri"]
        assigned = sum(len(MOVES[1:steps]) for steps in range(2, len(MOVES) + 1))
        lost.read = drained(lost.water_uri, "water.events", assigned // 2)
        eventually(lambda: len(community.texts(stack.ready["sign_ins"]["resident"]["phone"])) > 15)
        lost.shown = shown(community, tickets)
        lost.cursor = community.staff("secretary").read("events")["cursor"]
        # Published, gone from the outbox, and not yet heard by the one who is to tell people.
        stack.stop("notifications")
        lost.unheard = community.resident().file()
        eventually(lambda: lost.unheard["id"] in {each["subject"] for each in logged(observer)})
        load = Filing(community.resident().twin())
        load.start()
        eventually(lambda: len(load.answered) > 5)
        lost.surely = dict(load.answered)
        done = linli(stack, "backup", str(folder / "backup"), "--json")
        lost.backed_up_at = len(load.answered)
        eventually(lambda: len(load.answered) > lost.backed_up_at + 5)
        load.stop()
        assert done.returncode == 0, done.stderr
        lost.manifest = json.loads(done.stdout)
        lost.load, lost.tickets = load, tickets
        lost.events = logged(observer)
        lost.ready, lost.keys = stack.ready, {name: stack.environment[name] for name in KEYS}
    finally:
        stack.down()
    return lost


@pytest.fixture(scope="module")
def empty(before, folder):
    """New servers with nothing in them, and the keys of the system that is gone."""
    stack = Stack(folder / "second", before.keys)
    stack.serve()
    yield stack
    stack.down()


def rows_anywhere(stack):
    """How many tables there are in the databases."""
    query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    return sum(stack.value(service, query) for service in SERVICES)


def test_writers_wait_no_longer_than_a_moment_and_nobody_is_refused(before):
    assert before.manifest["pause_ms"] < 1_500
    assert before.load.refused == []


def test_a_backup_is_for_its_owner_alone_and_holds_no_key(before, folder):
    files = list((folder / "backup").iterdir())

    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert (folder / "backup").stat().st_mode & 0o777 == 0o700
    secrets = [part.encode() for value in before.keys.values() for part in value.split(":")[-1:]]
    assert [path.name for path in files for key in secrets if key in path.read_bytes()] == []


def test_a_backup_that_is_whole_is_found_so(before, empty, folder):
    done = linli(empty, "backup", "--verify", str(folder / "backup"))

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["tickets.dump", "events.jsonl.gz", "departments.json"])
def test_a_damaged_backup_is_refused(before, empty, folder, name):
    damaged = folder / f"damaged-{name}"
    shutil.copytree(folder / "backup", damaged)
    content = bytearray((damaged / name).read_bytes())
    content[len(content) // 2] ^= 0xFF
    (damaged / name).write_bytes(content)

    for command in (["backup", "--verify"], ["restore", "--yes"]):
        done = linli(empty, *command, str(damaged))

        assert done.returncode == 1
        assert name in done.stderr
    assert rows_anywhere(empty) == 0


@pytest.mark.parametrize("variable", KEYS)
def test_other_keys_than_the_backups_are_refused_before_anything_is_written(
    before, empty, folder, variable
):
    text = before.keys[variable]
    other = text.replace(text[-8:], ("AAAAAAA=" if text[-8:] != "AAAAAAA=" else "BBBBBBB="))

    done = linli(empty, "restore", str(folder / "backup"), "--yes", **{variable: other})

    assert done.returncode == 1
    assert variable in done.stderr
    assert rows_anywhere(empty) == 0


def test_without_a_yes_nothing_is_restored(before, empty, folder):
    done = linli(empty, "restore", str(folder / "backup"))

    assert (done.returncode, rows_anywhere(empty)) == (1, 0)


@pytest.fixture(scope="module")
def restored(before, empty, folder):
    """The system that came back."""
    done = linli(empty, "restore", str(folder / "backup"), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    before.restored = json.loads(done.stdout)
    observer = empty.environment.broker_uri("observer")
    before.returned = logged(observer)
    water = same_place(before.water_uri, observer)
    before.waits = waiting(water, "water.events")
    empty.open()
    empty.ready = {
        **before.ready,
        "url": empty.environment.url,
        "amqp_uri": observer,
        "sms_url": empty.environment["LINLI_SMS_URL"].removesuffix("/messages"),
        "mail_url": empty.environment.mail_url,
        "departments": {"water": {**before.ready["departments"]["water"], "amqp_uri": water}},
    }
    return empty


@pytest.fixture(scope="module")
def community(restored):
    made = Community(restored.ready)
    yield made
    made.close()


def test_what_people_see_is_what_they_saw(before, community):
    assert shown(community, before.tickets) == before.shown


def test_every_row_came_back(before):
    rows = {name: sum(each["rows"].values()) for name, each in before.manifest["databases"].items()}

    assert before.restored["rows"] == rows


def test_what_was_answered_before_the_backup_began_is_there_once(before, restored):
    stored = Counter(row["id"] for row in restored.rows("tickets", "SELECT id::text FROM tickets"))

    assert [each for each in before.surely.values() if stored[each] != 1] == []


def test_the_services_agree_on_every_ticket(restored):
    """Whatever the cut found on its way has arrived: no news is missing and none is of nothing."""
    last = "SELECT ticket::text, max(sequence) AS sequence FROM {} GROUP BY ticket"

    def steps(service, table):
        return {
            row["ticket"]: row["sequence"] for row in restored.rows(service, last.format(table))
        }

    eventually(lambda: steps("tickets", "history") == steps("notifications", "progress"), within=30)
    assert restored.linli("outbox", "status", "--json")
    assert json.loads(restored.linli("dead-letters", "list", "--json"))["queues"].keys()


def test_nobody_reads_an_event_with_a_new_id(before, restored):
    known = {event["id"]: event for event in before.events}
    water = restored.ready["departments"]["water"]["amqp_uri"]

    for event in (*before.returned, *logged(water, "water.log")):
        assert known[event["id"]] == event
    found = {event["id"] for event in logged(water, "water.log")}
    assert set(before.read) <= found


def test_what_had_waited_for_a_department_waits_for_it_again(before, restored):
    water = restored.ready["departments"]["water"]["amqp_uri"]
    addressed = [e["id"] for e in before.returned if "water" in e["data"].get("departments", [])]
    unread = [each for each in addressed if each not in before.read]

    assert before.waits == len(unread)
    assert drained(water, "water.events", before.waits) == unread


def test_the_feed_begins_anew_and_has_all_that_it_had(before, restored, community):
    secretary = community.administrators_key
    answer = secretary.get("events", params={"after": before.cursor})

    assert answer.status_code == 410
    assert answer.json()["restart_from"]
    returned = {event["id"] for event in before.returned}
    eventually(lambda: feed_ids(secretary) >= returned, within=20)


def feed_ids(client):
    found, after = set(), None
    while True:
        page = client.read("events", params={"limit": 200, **({"after": after} if after else {})})
        found |= {item["id"] for item in page["items"]}
        if not page["items"]:
            return found
        after = page["cursor"]


def test_what_a_consumer_had_not_heard_at_the_cut_it_hears_now(before, restored, community):
    def told():
        return [
            item["purpose"]
            for item in community.resident().items("inbox")
            if item["ticket"] == before.unheard["id"]
        ]

    eventually(lambda: told() == ["ticket_filed"], within=20)
    assert before.restored["broker"]["unhandled"]["notifications.on_ticket_filed"] >= 1
    texted = (
        "SELECT reason FROM delivery JOIN notification n ON n.id = notification WHERE ticket = :t"
    )
    reasons = restored.rows("notifications", texted, t=before.unheard["id"])
    assert [row["reason"] for row in reasons] == ["held_after_restore"]


def test_nobody_is_texted_twice(before, restored, community):
    held = json.loads(restored.linli("deliveries", "held", "--json"))["held"]
    numbers = {ticket["number"] for ticket in before.tickets}

    assert not [text for text in restored.texts() if any(number in text for number in numbers)]
    assert before.restored["held"] <= len(held)


def test_the_same_key_gives_the_same_ticket_and_a_lost_one_makes_it_anew(
    before, restored, community
):
    stored = {row["id"] for row in restored.rows("tickets", "SELECT id::text FROM tickets")}
    resident = community.resident()

    for key, ticket in before.load.answered.items():
        again = resident.make("tickets", before.load.asked[key], key=key)
        if ticket in stored:
            assert again["id"] == ticket
    everything = {
        row["description"] for row in restored.rows("tickets", "SELECT description FROM tickets")
    }
    assert {before.load.asked[key]["description"] for key in before.load.answered} <= everything


def test_people_work_on_and_are_told(restored, community):
    resident, phone = community.resident(), restored.ready["sign_ins"]["resident"]["phone"]

    ticket = community.staff("staff").move(resident.file(), "acceptance")

    assert ticket["state"] == "accepted"
    eventually(lambda: any(ticket["number"] in text for text in community.texts(phone)), within=20)


def test_a_system_that_is_there_is_not_restored_into(restored, folder):
    done = linli(restored, "restore", str(folder / "backup"), "--yes")

    assert done.returncode == 1
    assert "tables" in done.stderr
