"""Consents and exports over HTTP."""

import pytest

from chassis.errors import Forbidden
from chassis.testing import eventually
from chassis.testing.rpc import RpcCaller
from tests.integration.gateway.test_neighbours_away import away, unavailable
from tests.integration.gateway.town import BUILDING


@pytest.fixture(scope="module")
def person(town):
    """Somebody on the register."""
    known = {"name": "冯一", "phone": "13700000101", "area": BUILDING}
    return town.clerk.make("residents", known)["id"]


def test_a_consent_is_given_and_taken_back(town, person):
    path = f"residents/{person}/consents"
    given = town.clerk.post(path, {"purpose": "photos"})
    again = town.clerk.post(path, {"purpose": "photos"})
    taken = town.clerk.make(f"{path}/{given.json()['id']}/withdrawal", None)

    assert given.status_code == 201
    assert (again.status_code, again.json()["type"]) == (409, "/problems/consent_given")
    assert taken["withdrawn_at"]
    assert [item["id"] for item in town.clerk.get(path).json()["items"]] == [given.json()["id"]]


def test_people_agree_for_themselves(town):
    mine = f"residents/{town.ids['neighbour']}/consents"

    assert town.neighbour.post(mine, {"purpose": "notices"}).status_code == 201
    assert town.resident.post(mine, {"purpose": "notices"}).status_code == 404
    assert town.resident.get(mine).status_code == 404


@pytest.mark.parametrize("body", [{}, {"purpose": "selling"}, {"purpose": "photos", "x": 1}])
def test_a_purpose_is_needed_that_is_known(town, person, body):
    assert town.clerk.post(f"residents/{person}/consents", body).status_code == 422


def test_somebody_has_all_that_is_held_on_them(town):
    client = town.arrive("curious", "13700000102")
    me = town.ids["curious"]
    client.patch(f"residents/{me}", {"name": "陈二", "address": "401"})
    ticket = town.file(client, description="三楼的灯坏了", address="3-2-501")
    client.make(f"tickets/{ticket['id']}/comments", {"text": "晚上很黑"})
    town.clerk.move(ticket, "acceptance")
    client.patch("preferences", {"purposes": {"ticket_closed": {"sms": False}}})
    eventually(lambda: client.get("inbox").json()["items"])

    answer = client.get(f"residents/{me}/export")

    held = answer.json()
    assert (held["resident"]["phone"], held["resident"]["name"]) == ("+8613700000102", "陈二")
    assert [(item["number"], item["as"]) for item in held["tickets"]] == [
        (ticket["number"], ["reporter", "filed_by"])
    ]
    words = held["tickets"][0]["words"]
    assert (words["description"], words["address"]) == ("三楼的灯坏了", "3-2-501")
    assert [comment["text"] for comment in words["comments"]] == ["晚上很黑"]
    assert [move["move"] for move in words["moves"]] == ["filing", "comments"]
    assert {item["ticket"] for item in held["notifications"]} == {ticket["id"]}
    [message] = held["notifications"][-1]["deliveries"]
    assert message["purpose"] == "ticket_filed"
    assert held["preferences"]["purposes"] == {"ticket_closed": {"sms": False}}
    assert len(held["signing_in"]["sessions"]) == 1
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    noted = client.get(f"residents/{me}/audit").json()["items"]
    assert "export" in [entry["action"] for entry in noted]


def test_an_administrator_exports_references_to_tickets_and_no_words_of_them(town):
    client = town.arrive("asker", "13700000103")
    ticket = town.file(client, description="三楼的灯坏了")

    answer = town.administrator.get(f"residents/{town.ids['asker']}/export")

    assert ticket["number"] in answer.text
    assert "三楼的灯坏了" not in answer.text


@pytest.mark.parametrize(("who", "status"), [("clerk", 403), ("neighbour", 404), ("nobody", 401)])
def test_others_are_given_none(town, person, who, status):
    client = getattr(town, who)

    assert client.get(f"residents/{person}/export").status_code == status


@pytest.mark.parametrize("service", ["residents", "tickets", "notifications"])
def test_half_an_export_is_none(town, service):
    path = f"residents/{town.ids['neighbour']}/export"
    with away(town, service):
        answer = town.neighbour.get(path)

    assert unavailable(answer)
    eventually(lambda: town.neighbour.get(path).ok, within=20)


@pytest.mark.parametrize("service", ["tickets", "notifications"])
def test_no_one_but_the_gateway_asks_for_references(town, rabbitmq, service):
    with RpcCaller(rabbitmq.amqp_uri) as rpc, pytest.raises(Forbidden):
        rpc.call(service, "held_on", {"person": town.ids["neighbour"]})
