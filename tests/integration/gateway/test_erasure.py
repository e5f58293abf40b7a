"""A resident is erased over HTTP, and every service forgets them."""

import pytest
from sqlalchemy import text

from chassis.testing import eventually
from tests.integration.gateway.test_neighbours_away import away, unavailable
from tests.integration.gateway.town import BUILDING, request

WHY = {"reason": "本人书面申请"}


def registered(town, phone):
    person = {"name": "吴九", "phone": phone, "area": BUILDING, "address": "302"}
    return town.clerk.make("residents", person)["id"]


def test_whoever_is_erased_is_signed_out_and_unknown_everywhere(town):
    client = town.arrive("leaver", "13700000091")
    person = town.ids["leaver"]
    client.patch(f"residents/{person}", {"name": "吴九"})
    ticket = town.clerk.move(town.file(client), "acceptance")
    eventually(lambda: client.get("inbox").json()["items"])

    erased = town.administrator.post(f"residents/{person}/erasure", WHY)

    assert erased.json()["id"] == person
    eventually(lambda: client.get("inbox").status_code == 401)
    found = town.clerk.make("residents/searches", {"phone": "13700000091"})["items"]
    assert found == []
    assert town.administrator.get(f"residents/{person}").json()["name"] is None
    eventually(lambda: town.clerk.get(f"tickets/{ticket['id']}").json()["reporter"] is None)
    assert town.clerk.get(f"tickets/{ticket['id']}").json()["description"] == ticket["description"]
    again = town.sign_in("13700000091")["actor"]["id"]
    assert again != person


def test_erasing_again_changes_nothing(town):
    person = registered(town, "13700000092")
    path = f"residents/{person}/erasure"

    first, second = (town.administrator.make(path, WHY) for _ in range(2))

    assert first == second


def test_whoever_has_a_duty_is_not_erased(town):
    answer = town.administrator.post(f"residents/{town.ids['clerk']}/erasure", WHY)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/on_duty")


@pytest.mark.parametrize(("who", "status"), [("clerk", 403), ("secretary", 403), ("resident", 404)])
def test_only_an_administrator_erases_somebody_else(town, who, status):
    person = registered(town, f"1370000{9300 + len(who)}")

    assert town.people[who].post(f"residents/{person}/erasure", WHY).status_code == status


def test_people_have_themselves_erased_and_need_not_say_why(town):
    client = town.arrive("goer", "13700000096")
    person = town.ids["goer"]
    ticket = town.clerk.move(town.file(client), "acceptance")

    assert client.make(f"residents/{person}/erasure", {})["id"] == person

    eventually(lambda: client.get("sessions/current").status_code == 401)
    assert town.administrator.get(f"residents/{person}").json()["phone"] is None
    eventually(lambda: town.clerk.get(f"tickets/{ticket['id']}").json()["reporter"] is None)
    assert town.clerk.get(f"tickets/{ticket['id']}").json()["state"] == "accepted"


def test_whoever_has_a_duty_does_not_have_themselves_erased(town):
    answer = town.clerk.post(f"residents/{town.ids['clerk']}/erasure", {})

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/on_duty")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": 1}, {"reason": "x", "more": 1}])
def test_a_reason_is_needed_for_somebody_else(town, body):
    path = f"residents/{town.ids['resident']}/erasure"

    assert town.administrator.post(path, body).status_code == 422


def test_nobody_is_erased_who_never_was(town):
    path = "residents/01890a5d-ac96-774b-bcce-b302099a8057/erasure"

    assert town.administrator.post(path, WHY).status_code == 404


def test_without_the_registry_it_is_503_and_once_later(town):
    path = f"residents/{registered(town, '13700000094')}/erasure"
    key = {"Idempotency-Key": "erasure"}
    with away(town, "residents"):
        answer = town.administrator.post(path, WHY, headers=key)

    assert unavailable(answer)
    eventually(lambda: town.administrator.post(path, WHY, headers=key).ok, within=20)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("residents", {"name": "郑十", "phone": "13700000095", "area": BUILDING, "address": "303"}),
        ("households", {"area": BUILDING, "door": "stored-nowhere", "from": "2020-01-01"}),
    ],
    ids=["resident", "household"],
)
def test_the_answer_to_a_registration_is_stored_nowhere_else(town, session, path, body):
    key = {"Idempotency-Key": "registration"}
    stored = text("SELECT count(*) FROM idempotency_keys WHERE body IS NOT NULL")
    before = session.scalar(stored)
    first, second = (town.clerk.make(path, body, headers=key) for _ in range(2))

    assert first == second
    assert session.scalar(stored) == before


def test_a_stored_answer_can_be_read_by_whoever_repeats_the_request_only(town, session):
    body, key = request(address="3-2-501"), {"Idempotency-Key": "sealed"}
    first, second = (town.resident.make("tickets", body, headers=key) for _ in range(2))

    assert first == second
    assert first["address"] == "3-2-501"
    rows = session.scalars(text("SELECT body FROM idempotency_keys WHERE body IS NOT NULL"))
    bodies = [bytes(row) for row in rows]
    assert bodies
    assert not [
        each for each in bodies if b"3-2-501" in each or body["description"].encode() in each
    ]
