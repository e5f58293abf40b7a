"""With a service stopped the others work on, and what could not be done is done once when it is
back.
"""

import time

import pytest

from chassis.testing import eventually
from tests.stack.clients import filing, new_key

ANSWER_WITHIN = 2.5


@pytest.fixture
def stopped(stack):
    """Stops services; they are back afterwards."""
    names = []

    def stop(name):
        stack.stop(name)
        names.append(name)

    yield stop
    for name in names:
        if not stack.running(name):
            stack.start(name)
    stack.wait_ready(*names)


@pytest.fixture
def people(stack):
    """The people of the stack, signed in while everything works."""
    community = stack.community
    community.resident(), community.staff("staff"), community.staff("administrator")
    yield community
    community.close()


def count(stack, body):
    """How many tickets a filing has made."""
    sql = "SELECT count(*) FROM tickets WHERE description = :description"
    return stack.value("tickets", sql, description=body["description"])


def test_without_tickets_filing_is_told_to_come_back_and_then_makes_one(stack, people, stopped):
    resident, body, key = people.resident(), filing(), new_key()
    stopped("tickets")

    for _ in range(3):
        begun = time.monotonic()
        answer = resident.post("tickets", body, key=key)
        took = time.monotonic() - begun

        assert took <= ANSWER_WITHIN
        assert answer.status_code == 503, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert int(answer.headers["Retry-After"]) > 0

    assert resident.get("inbox").status_code == 200
    assert resident.get("areas").status_code == 200
    assert people.staff("staff").get("residents").status_code == 200
    assert people.resident("13800000003").id
    assert stack.readiness("gateway")[0] == 200

    stack.start("tickets")
    stack.wait_ready("tickets")
    answers = [resident.post("tickets", body, key=key) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert count(stack, body) == 1


def test_without_residents_people_who_are_known_still_file(stack, people, stopped):
    resident, staff = people.resident(), people.staff("staff")
    stopped("residents")

    mine = resident.post("tickets", filing())
    assert mine.status_code == 201
    theirs = staff.post("tickets", filing(reporter={"resident": resident.id}))
    assert theirs.status_code == 201
    assert people.anonymous.post("tickets", filing()).status_code == 201
    assert staff.post("sessions", dict(people.ready["sign_ins"]["staff"])).status_code == 201
    by_phone = staff.post("tickets", filing(reporter={"name": "n", "phone": "13800007777"}))
    assert by_phone.status_code == 503
    assert int(by_phone.headers["Retry-After"]) > 0

    # Who is to be told is looked up again once the registry is back.
    stack.start("residents")
    stack.wait_ready("residents")
    phone = people.ready["sign_ins"]["resident"]["phone"]
    number = mine.json()["number"]
    eventually(lambda: [text for text in people.texts(phone) if number in text], within=30)


def test_without_notifications_the_loop_goes_on_and_news_come_later(stack, people, stopped):
    resident = people.resident()
    stopped("notifications")

    ticket = people.staff("staff").move(resident.file(), "acceptance")

    assert ticket["state"] == "accepted"
    assert resident.get("inbox").status_code == 503
    stack.start("notifications")
    stack.wait_ready("notifications")
    told = eventually(lambda: _told(resident, ticket, 2), within=20)
    assert told == ["ticket_accepted", "ticket_filed"]


def test_without_the_gateway_nothing_is_forgotten(stack, people, stopped):
    ticket = people.resident().file()
    stopped("gateway")

    stack.start("gateway")
    stack.wait_ready("gateway")

    assert people.resident().read(f"tickets/{ticket['id']}")["id"] == ticket["id"]


def _told(resident, ticket, times):
    items = [item["purpose"] for item in resident.items("inbox") if item["ticket"] == ticket["id"]]
    return items if len(items) == times else None
