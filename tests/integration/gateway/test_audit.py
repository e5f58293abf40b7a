"""The audit over HTTP: who used personal data, who was refused it, and who may know."""

import pytest

from chassis.testing import eventually
from tests.integration.gateway.test_neighbours_away import away, unavailable
from tests.integration.gateway.town import BUILDING


def audit_of(client, person, query=""):
    answer = client.get(f"residents/{person}/audit{query}")
    assert answer.ok, answer.text
    return answer.json()["items"]


@pytest.fixture(scope="module")
def person(town):
    """Somebody on the register."""
    known = {"name": "孙七", "phone": "13700000071", "area": BUILDING}
    return town.clerk.make("residents", known)["id"]


def test_what_a_clerk_reads_is_seen_by_the_secretary_and_the_administrator(town, person):
    read = town.clerk.get(f"residents/{person}")

    for reader in (town.secretary, town.administrator):
        entry = audit_of(reader, person, "?action=read")[0]
        assert entry["actor"] == {"id": town.ids["clerk"], "kind": "person", "api_key": None}
        assert entry["request_id"] == read.headers["X-Request-Id"]
        assert "13700000071" not in str(entry)


def test_everybody_sees_who_looked_at_them(town):
    me = town.ids["resident"]
    town.administrator.get(f"residents/{me}")

    entries = audit_of(town.resident, me)

    assert town.ids["administrator"] in {entry["actor"]["id"] for entry in entries}
    assert town.neighbour.get(f"residents/{me}/audit").status_code == 404


def test_a_refusal_is_noted_although_its_command_came_to_nothing(town, person):
    looked = town.neighbour.get(f"residents/{person}")
    changed = town.neighbour.patch(f"residents/{person}", {"name": "x"})
    program = town.key({"department": "water"}, "residents:read")
    listed = program.get("residents?limit=5")

    assert [a.status_code for a in (looked, changed, listed)] == [404, 404, 403]
    refused = {entry["request_id"]: entry for entry in audit_of(town.administrator, person)}
    entry = refused[looked.headers["X-Request-Id"]]
    assert (entry["outcome"], entry["action"]) == ("refused", "residents.read")
    assert entry["reason"] == "not_found"
    assert refused[changed.headers["X-Request-Id"]]["action"] == "residents.write"
    mine = town.administrator.get("audit?actor=water").json()["items"]
    assert listed.headers["X-Request-Id"] in {entry["request_id"] for entry in mine}


def test_of_a_program_both_its_key_and_its_owner_are_noted(town, person):
    program = town.key({"person": town.ids["clerk"]}, "residents:read")

    assert program.get(f"residents/{person}").ok

    actor = audit_of(town.administrator, person, "?action=read")[0]["actor"]
    assert actor["id"] == town.ids["clerk"]
    assert actor["api_key"]


def test_the_audit_is_paged_and_filtered(town, person):
    town.clerk.get(f"residents/{person}"), town.clerk.get(f"residents/{person}")
    first = town.administrator.get(f"audit?person={person}&action=read&limit=1")
    second = town.administrator.get(
        "audit", params={"person": person, "limit": 1, "after": first.json()["next"]}
    )

    assert first.json()["items"][0]["at"] > second.json()["items"][0]["at"]
    assert 'rel="next"' in first.headers["Link"]
    since = {"from": "2999-01-01T00:00:00+08:00"}
    assert town.administrator.get("audit", params=since).json()["items"] == []


@pytest.mark.parametrize("query", ["from=yesterday", "person=x", "action=Read", "x=1", "after=x"])
def test_a_filter_that_cannot_be_read_is_refused_by_name(town, query):
    answer = town.administrator.get(f"audit?{query}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


@pytest.mark.parametrize("who", ["clerk", "grid_worker"])
def test_others_read_only_what_concerns_themselves(town, who, person):
    client = town.people[who]
    client.get(f"residents/{town.ids[who]}")

    entries = client.get("audit").json()["items"]

    assert {entry["subject"] for entry in entries} == {town.ids[who]}
    # Both know of the person; a neighbour does not.
    assert client.get(f"residents/{person}/audit").status_code == 403
    assert town.neighbour.get(f"residents/{person}/audit").status_code == 404


def test_somebody_without_a_session_is_asked_to_sign_in(town, person):
    assert town.nobody.get("audit").status_code == 401
    assert town.nobody.get(f"residents/{person}/audit").status_code == 401


def test_without_the_registry_the_audit_is_503(town):
    with away(town, "residents"):
        answer = town.administrator.get("audit")

    assert unavailable(answer)
    eventually(lambda: town.administrator.get("audit").ok, within=20)
