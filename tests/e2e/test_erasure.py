"""Somebody goes through the whole loop and is erased: canaries are then looked for in every table,
queue, stream and log of a running system.
"""

import json

import pytest

from chassis.testing import eventually
from deploy.databases import SERVICES
from tests.e2e.test_personal_data import CANCELLED, hits
from tests.faults.locks import locked
from tests.stack.clients import filing
from tests.stack.wire import read_log

PHONE, OTHER_PHONE = "13966670001", "13966670002"
ID_NUMBER = "34060319900101123X"
NAME, ADDRESS, DOOR = "司徒卡纳里", "canary-door-6e1f", "canary-gate-2b7c"
HOME, NOTE = "9-901", "canary-note-7d31"
LATITUDE, LONGITUDE = 32.918273, 117.345678
CANARIES = {
    "phone": PHONE,
    "phone with spaces": "139 6667 0001",
    "full-width phone": "１３９６６６７０００１",
    "somebody else's phone": OTHER_PHONE,
    "ID number": ID_NUMBER,
    "name": NAME,
    "address": ADDRESS,
    "address of a ticket": DOOR,
    "latitude": str(LATITUDE),
    "longitude": str(LONGITUDE),
    "note": NOTE,
}


@pytest.fixture(scope="module")
def erased(stack):
    """The id of a person who was erased, and the number of a ticket of theirs."""
    community = stack.community
    staff, secretary = community.staff("staff"), community.staff("secretary")
    place = "340603008002.e1.g1.b1.u1"
    known = {"name": NAME, "phone": PHONE, "id_number": ID_NUMBER, "address": ADDRESS}
    person = staff.make("residents", {**known, "area": place}, key="canary")["id"]
    home = {"area": place, "door": HOME, "from": "2020-01-01", "head": person}
    home = staff.make("households", home)["id"]
    tag = {"tag": "elder_alone", "note": NOTE}
    secretary.make(f"residents/{person}/care-tags", tag)
    resident = community.resident(PHONE)
    assert resident.request("PATCH", "preferences", json={"digest": "daily"}).ok
    words = f"请打 {PHONE}、139 6667 0001 或 １３９６６６７０００１，身份证 {ID_NUMBER}"
    where = {"address": DOOR, "location": {"lat": LATITUDE, "lon": LONGITUDE}}
    told = filing(title=f"找 {OTHER_PHONE}", description=words, **where)
    ticket = resident.make("tickets", told, key="canary")
    assert (ticket["masked"], ticket["address"]) == (["description", "title"], DOOR)
    with locked(stack):
        assert resident.post("tickets", told).status_code == 503
        eventually(lambda: CANCELLED in stack.postgres.log(), within=15)
    ticket = staff.move(ticket, "acceptance")
    staff.make(f"tickets/{ticket['id']}/comments", {"text": f"打了 {OTHER_PHONE}"})
    staff.make(f"residents/{person}/disclosures", {"fields": ["phone"], "reason": f"打 {PHONE}"})
    eventually(lambda: len(community.texts(PHONE)) >= 3, within=20)

    admin = community.staff("administrator")
    admin.make(f"residents/{person}/erasure", {"reason": f"本人 {PHONE} 申请"})

    for service in SERVICES:
        eventually(lambda service=service: _settled(stack, service), within=20)
    eventually(lambda: resident.get("inbox").status_code == 401, within=20)
    path = f"tickets/{ticket['id']}"
    eventually(lambda: secretary.read(path)["reporter"] is None, within=20)
    assert secretary.read(f"households/{home}")["head"] is None
    assert person not in str(secretary.items("care-tags"))
    yield person, ticket["number"]
    community.close()


def _settled(stack, service):
    """Whether a service has nothing left to publish."""
    has = "SELECT to_regclass('outbox') IS NOT NULL"
    return not stack.value(service, has) or stack.value(service, "SELECT count(*) = 0 FROM outbox")


@pytest.mark.parametrize("service", SERVICES)
def test_no_table_holds_anything_readable_of_them(stack, erased, service):
    tables = stack.rows(
        service,
        "SELECT table_name AS name FROM information_schema.tables "
        "WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
    )
    contents = {
        table["name"]: "\n".join(
            row["line"]
            for row in stack.rows(service, f'SELECT t::text AS line FROM "{table["name"]}" t')
        )
        for table in tables
    }

    assert any(contents.values())
    found = {name: hits(content, CANARIES) for name, content in contents.items()}
    assert {name for name, canaries in found.items() if canaries} == set()


def test_their_key_and_what_it_opened_are_gone(stack, erased):
    person, _ = erased
    row = stack.rows("residents", f"SELECT * FROM residents WHERE id = '{person}'")[0]

    keys = f"SELECT count(*) FROM resident_keys WHERE resident = '{person}'"
    assert stack.value("residents", keys) == 0
    assert row["erased_at"] is not None
    assert {name for name, value in row.items() if isinstance(value, bytes | memoryview)} == set()


def test_no_other_service_knows_the_person(stack, erased):
    person, _ = erased
    linked = f"SELECT count(*) FROM tickets WHERE '{person}' IN (reporter::text, filed_by)"
    told = f"SELECT count(*) FROM notification WHERE person = '{person}'"
    sessions = f"SELECT count(*) FROM sessions WHERE person = '{person}'"

    assert stack.value("tickets", linked) == 0
    assert stack.value("notifications", told) == 0
    assert stack.value("gateway", sessions) == 0


def test_no_table_of_notifications_leads_to_them_but_the_one_that_says_so(stack, erased):
    person, _ = erased
    named = "SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'person'"
    tables = {row["name"] for row in stack.rows("notifications", named)}
    theirs = "SELECT count(*) FROM {} WHERE person = '{}'"

    assert tables >= {"delivery", "notification", "preference", "forgotten"}
    found = {name for name in tables if stack.value("notifications", theirs.format(name, person))}
    assert found == {"forgotten"}


def test_nobody_lives_in_their_home_or_has_their_tags(stack, erased):
    person, _ = erased
    tags = f"SELECT count(*) FROM care_tags WHERE resident = '{person}'"
    stays = f"SELECT starts, ends FROM household_members WHERE resident = '{person}'"
    [stay] = stack.rows("residents", stays)

    assert stack.value("residents", tags) == 0
    assert str(stay["starts"]) == "2020-01-01"
    assert stay["ends"] is not None


def test_no_event_queue_or_stream_holds_anything_of_them(stack, erased):
    _, number = erased
    log = read_log(stack.ready["amqp_uri"])
    whole = "\n".join(f"{each.routing_key} {each.headers} {each.body.decode()}" for each in log)

    assert number in whole
    assert "resident_erased" in whole
    assert hits(whole, CANARIES) == []


@pytest.mark.parametrize("folder", ["data", "log"])
def test_no_file_of_the_broker_holds_anything_of_them(stack, erased, folder):
    files = [path for path in (stack.rabbitmq.folder / folder).rglob("*") if path.is_file()]
    spelt = [form for canary in CANARIES.values() for form in (canary, json.dumps(canary)[1:-1])]
    found = {path.name for path in files for form in spelt if form.encode() in path.read_bytes()}

    assert files
    assert found == set()


@pytest.mark.parametrize("service", SERVICES)
def test_no_log_holds_anything_of_them(stack, erased, service):
    text = stack.log(service)

    assert '"event"' in text
    assert hits(text, CANARIES) == []


def test_the_log_of_the_databases_holds_nothing_of_them(stack, erased):
    text = stack.postgres.log()

    assert CANCELLED in text
    assert hits(text, CANARIES) == []


def test_the_figures_and_the_audit_stay(stack, erased):
    person, number = erased

    ticket = f"SELECT count(*) FROM tickets WHERE number = '{number}'"
    assert stack.value("tickets", ticket) == 1
    entries = stack.rows(
        "residents", f"SELECT action, reason FROM audit WHERE subject = '{person}'"
    )
    assert {"register", "disclose", "erase"} <= {entry["action"] for entry in entries}
