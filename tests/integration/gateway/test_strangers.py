"""A filing that is refused makes nobody known."""

import itertools
from uuid import uuid4

import pytest

from chassis import topology
from chassis.testing import wire
from tests.integration.gateway.town import COMMUNITY, request

NOWHERE = f"{COMMUNITY}.e98"
PHONES = (f"136{number:08d}" for number in itertools.count(30_000_001))


def known(town, phone):
    """Whom the registry has under a number."""
    answer = town.administrator.post("residents/searches", {"phone": phone})
    assert answer.ok, answer.text
    return [person["id"] for person in answer.json()["items"]]


@pytest.mark.parametrize(
    ("who", "status", "fields"),
    [
        ("resident", 403, {}),
        ("grid_worker", 403, {"area": f"{COMMUNITY}.e1.g2"}),
        ("clerk", 422, {"area": NOWHERE}),
        ("clerk", 422, {"category": "water.of_life"}),
        ("nobody", 422, {"area": NOWHERE}),
    ],
)
@pytest.mark.parametrize("role", ["reporter", "on_behalf_of"])
def test_a_refused_filing_registers_no_stranger(town, who, status, fields, role):
    phone = next(PHONES)
    told = {role: {"name": "某人", "phone": phone}, **fields}

    refused = getattr(town, who).post("tickets", request(**told))

    assert refused.status_code == status, refused.text
    assert known(town, phone) == []


def test_a_filing_that_is_taken_still_makes_its_reporter_known(town):
    for who in ("clerk", "grid_worker", "nobody"):
        phone = next(PHONES)
        town.file(getattr(town, who), reporter={"name": "某人", "phone": phone})
        assert len(known(town, phone)) == 1


def test_it_is_not_told_by_a_refusal_whether_a_number_is_known(town):
    problems, asked = [], []
    with wire.opened(town.environ["LINLI_AMQP_URI"]) as channel:
        questions = channel.queue_declare(exclusive=True).queue
        channel.queue_bind(questions, topology.RPC_EXCHANGE, "#")
        for phone in ("13800000002", next(PHONES)):
            refused = town.resident.post("tickets", request(reporter={"phone": phone}))
            problems.append(refused.json() | {"request_id": ""})
            asked.append(_of_a_filing(channel, questions))

    assert problems[0] == problems[1]
    # Nor by how long it takes: the same is asked of the same services.
    assert asked[0] == asked[1] == ["tickets.may_file", "residents.ensure_resident"]


def _of_a_filing(channel, questions):
    """What only a filing asks of other services, in that order; all of it is there once it is
    answered.
    """
    waiting = iter(lambda: channel.basic_get(questions, no_ack=True), None)
    keys = [message.delivery_info["routing_key"] for message in waiting]
    return [key for key in keys if key.startswith("tickets.") or key.endswith(".ensure_resident")]


def test_a_resident_may_give_their_own_number(town):
    ticket = town.file(town.resident, reporter={"phone": "13800000001"})

    assert ticket["reporter"] == town.ids["resident"]


@pytest.mark.parametrize("visibility", ["private", "public"])
@pytest.mark.parametrize("role", ["reporter", "on_behalf_of"])
@pytest.mark.parametrize("who", ["water_clerk", "waters_key"])
def test_a_department_that_gives_a_phone_is_not_told_whose_it_is(
    town, waters_key, who, role, visibility
):
    department = waters_key if who == "waters_key" else town.water_clerk
    key = {"Idempotency-Key": str(uuid4())}
    body = request(**{role: {"phone": "13800000002"}}, visibility=visibility)

    filed, repeated = (department.post("tickets", body, headers=key) for _ in range(2))

    assert (filed.status_code, repeated.status_code) == (201, 201)
    ticket = filed.json()
    later = department.get(f"tickets/{ticket['id']}")
    for answer in (filed, repeated, later, department.get("tickets")):
        assert town.ids["neighbour"] not in answer.text
    seen = town.clerk.get(f"tickets/{ticket['id']}").json()
    assert seen[role] == town.ids["neighbour"]
