"""Canaries: a phone, a name, an ID number and everybody's own words go through the whole loop and
are then looked for everywhere they must not be.

Each search also looks for something that must be there, so that it cannot find nothing by
mistake.
"""

import json
import re

import pytest

from chassis.testing import eventually
from chassis.testing.figures import exposed_at, health_port
from deploy.databases import SERVICES
from tests.faults.locks import locked
from tests.stack.clients import filing
from tests.stack.wire import read_log

PHONE = "13966678912"
NEIGHBOURS_PHONE = "13966678913"
NAME = "欧阳卡纳里"
ID_NUMBER = "11010519491231002X"
ADDRESS = "canary.wang@mail.example"
# What PostgreSQL logs of a filing that waits for a locked table.
CANCELLED = "canceling statement due to"
PERSONAL = {
    "phone": PHONE,
    "phone with spaces": "139 6667 8912",
    "neighbour's phone": NEIGHBOURS_PHONE,
    "name": NAME,
    "ID number": ID_NUMBER,
    "e-mail address": ADDRESS,
}
WORDS = {
    "description": "canary-description-7f3a",
    "title": "canary-title-91bc",
    "address": "canary-address-44de",
    "comment": "canary-comment-0c21",
    "internal comment": "canary-internal-5e77",
    "note": "canary-note-a1b2",
    "summary": "canary-summary-c3d4",
    "reason": "canary-reason-e5f6",
    "answer": "canary-answer-0718",
}


def hits(text, canaries):
    """The names of the canaries that a text holds, as they are, or escaped, or as hex of bytes."""
    forms = {
        name: (canary, json.dumps(canary).strip('"'), canary.encode().hex())
        for name, canary in canaries.items()
    }
    return [name for name, spelt in forms.items() if any(form in text for form in spelt)]


@pytest.fixture(scope="module")
def number(stack):
    """The number of a ticket that went through the loop with canaries in every text."""
    community = stack.community
    staff, water = community.staff("staff"), community.staff("water")
    registered = {"name": NAME, "phone": PHONE, "id_number": ID_NUMBER, "address": "x"}
    staff.make("residents", {**registered, "area": "340603008002.e1.g1.b1.u1"})
    found = staff.make("residents/searches", {"phone": PHONE})["items"]
    assert len(found) == 1
    assert not hits(json.dumps(found, ensure_ascii=False), PERSONAL)
    resident, reader = community.resident(PHONE), community.resident(NEIGHBOURS_PHONE)
    told = {"name": NAME, "phone": NEIGHBOURS_PHONE}
    staff.make("tickets", filing(reporter=told, description=WORDS["description"]))
    # Somebody who is told by mail, as the reporter is by SMS.
    assert reader.request("PATCH", f"residents/{reader.id}", json={"email": ADDRESS}).ok
    reader.file(category="water.no_supply", description=WORDS["description"])
    eventually(lambda: [mail for mail in stack.mails() if mail["to"] == ADDRESS], within=20)
    texts = {name: WORDS[name] for name in ("description", "title", "address")}
    ticket = resident.make("tickets", filing(**texts))
    with locked(stack):
        assert resident.post("tickets", filing(**texts)).status_code == 503
        eventually(lambda: CANCELLED in stack.postgres.log(), within=15)
    ticket = staff.move(ticket, "acceptance")
    ticket = staff.move(ticket, "assignment", {"department": "water", "note": WORDS["note"]})
    comments = f"tickets/{ticket['id']}/comments"
    resident.make(comments, {"text": WORDS["comment"]})
    staff.make(comments, {"text": WORDS["internal comment"], "visibility": "internal"})
    ticket = water.move(ticket, "send-back", {"reason": WORDS["reason"]})
    ticket = staff.move(ticket, "assignment", {"department": "water"})
    ticket = water.move(ticket, "resolution", {"summary": WORDS["summary"]})
    answer = {"solved": "no", "satisfied": "no", "reason": WORDS["answer"]}
    ticket = resident.move(ticket, "follow-up", {**answer, "comment": WORDS["answer"]})
    eventually(lambda: len(_texts(community, ticket)) >= 6, within=20)
    eventually(lambda: stack.value("tickets", "SELECT count(*) = 0 FROM outbox"))
    community.close()
    return ticket["number"]


def _texts(community, ticket):
    return [text for text in community.texts(PHONE) if ticket["number"] in text]


def test_no_event_holds_personal_data_or_free_text(stack, number):
    log = read_log(stack.ready["amqp_uri"])
    whole = "\n".join(f"{each.routing_key} {each.headers} {each.body.decode()}" for each in log)

    assert number in whole
    assert hits(whole, PERSONAL | WORDS) == []


def test_events_hold_ids_codes_states_and_times_only(stack, number):
    chinese = re.compile("[\u4e00-\u9fff]")

    tickets = [each for each in read_log(stack.ready["amqp_uri"]) if b"/tickets" in each.body]

    assert number in "".join(each.body.decode() for each in tickets)
    assert [each.body for each in tickets if chinese.search(each.body.decode())] == []


@pytest.mark.parametrize("service", [*SERVICES, "sms", "mail"])
def test_no_log_holds_personal_data_or_free_text(stack, number, service):
    text = stack.log(service)

    assert "127.0.0.1" in text or '"event"' in text
    assert hits(text, PERSONAL | WORDS) == []


@pytest.mark.parametrize("service", SERVICES)
def test_no_figure_holds_personal_data_or_free_text(stack, number, service):
    text = exposed_at(health_port(stack.log(service)))

    assert "linli_entrypoint_outcomes_total" in text
    assert hits(text, {**PERSONAL, **WORDS, "number": number}) == []


def test_the_log_of_the_databases_holds_no_personal_data_or_free_text(stack, number):
    text = stack.postgres.log()

    assert CANCELLED in text
    assert hits(text, PERSONAL | WORDS) == []


@pytest.mark.parametrize("service", SERVICES)
def test_no_table_holds_personal_data_in_the_clear(stack, number, service):
    tables = [
        row["name"]
        for row in stack.rows(
            service,
            "SELECT table_name AS name FROM information_schema.tables "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
        )
    ]
    contents = {
        table: "\n".join(
            row["line"] for row in stack.rows(service, f'SELECT t::text AS line FROM "{table}" t')
        )
        for table in tables
    }

    assert any(contents.values())
    assert {table: hits(text, PERSONAL) for table, text in contents.items()} == {
        table: [] for table in tables
    }
    if service == "tickets":  # where people's own words belong; so they would have been found
        assert hits(contents["tickets"], {"d": WORDS["description"]}) == ["d"]


@pytest.mark.parametrize("folder", ["data", "log"])
def test_no_file_of_the_broker_holds_personal_data_or_free_text(stack, number, folder):
    files = [path for path in (stack.rabbitmq.folder / folder).rglob("*") if path.is_file()]
    found = {}
    seen = b""
    for path in files:
        content = path.read_bytes()
        seen += content if number.encode() in content else b""
        if names := [name for name, text in (PERSONAL | WORDS).items() if text.encode() in content]:
            found[path.name] = names

    assert files
    assert found == {}
    assert folder == "log" or number.encode() in seen
