"""Calling those whose requests are resolved, over HTTP."""

import pytest

from chassis.testing import eventually
from tests.integration.gateway.test_neighbours_away import away, unavailable
from tests.integration.gateway.town import BUILDING, COMMUNITY

IN_VAIN = {"solved": "unreachable", "satisfied": "no_answer"}


@pytest.fixture
def resolved(town):
    """The resident's request, resolved by the clerk."""
    accepted = town.clerk.move(town.file(town.resident), "acceptance")
    return town.clerk.move(accepted, "resolution", {"summary": "mended"})


def listed(client, **query):
    answer = client.get("tickets/call-list", params={"limit": 200, **query})
    assert answer.ok, answer.text
    return {item["id"]: item["call_attempts"] for item in answer.json()["items"]}


def test_a_clerk_calls_in_vain_and_then_with_success(town, resolved):
    path = f"tickets/{resolved['id']}/follow-up"

    in_vain = town.clerk.make(path, IN_VAIN)
    waiting = listed(town.clerk, area=BUILDING)
    answered = town.secretary.make(path, {"solved": "yes", "satisfied": "no_answer"})

    assert (in_vain["state"], in_vain["call_attempts"]) == ("resolved", 1)
    assert waiting[resolved["id"]] == 1
    assert answered["state"] == "closed"
    assert resolved["id"] not in listed(town.clerk)
    assert resolved["id"] not in listed(town.clerk, area=f"{COMMUNITY}.e2")


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        (IN_VAIN, "/solved"),
        ({"solved": "yes", "satisfied": "no_answer"}, "/satisfied"),
        ({"solved": "unreachable", "satisfied": "yes"}, "/satisfied"),
    ],
)
def test_a_reporter_is_told_which_answer_only_a_call_can_give(town, resolved, answer, pointer):
    refused = town.resident.post(f"tickets/{resolved['id']}/follow-up", answer)

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


@pytest.mark.parametrize("who", ["resident", "grid_worker", "water_clerk", "administrator"])
def test_only_clerks_and_secretaries_have_a_call_list(town, who):
    assert getattr(town, who).get("tickets/call-list").status_code == 403
    assert town.nobody.get("tickets/call-list").status_code == 401


def test_a_bad_cursor_or_place_is_422(town):
    for query in ("after=x", "area=somewhere", "limit=0", "mood=bad"):
        assert town.clerk.get(f"tickets/call-list?{query}").status_code == 422


def test_the_call_list_while_tickets_is_away_is_503(town):
    with away(town, "tickets"):
        assert unavailable(town.clerk.get("tickets/call-list"))
    eventually(lambda: town.clerk.get("tickets/call-list").ok, within=20)
