"""Rates over HTTP: numbers, the tickets behind them, exclusions."""

from urllib.parse import parse_qs, urlsplit

import pytest

from chassis.testing import eventually
from tests.integration.gateway.test_neighbours_away import away, unavailable
from tests.integration.gateway.town import COMMUNITY, Client

RATES = ("solved_share", "response_rate", "resolution_rate", "satisfaction_rate")
PLACE = f"{COMMUNITY}.e1.g2"


@pytest.fixture(scope="module")
def counted(town):
    """Three requests of a place where nobody else files: solved, not satisfied, with water."""
    solved, partly, given = (town.file(town.resident, area=PLACE) for _ in range(3))
    for ticket, is_solved, is_satisfied in ((solved, "yes", "yes"), (partly, "partly", "no")):
        accepted = town.clerk.move(ticket, "acceptance")
        resolved = town.clerk.move(accepted, "resolution", {"summary": "mended"})
        answer = {"solved": is_solved, "satisfied": is_satisfied}
        town.resident.move(resolved, "follow-up", answer)
    town.clerk.move(town.clerk.move(given, "acceptance"), "assignment", {"department": "water"})
    return {"solved": solved["id"], "partly": partly["id"], "given": given["id"]}


def rates(client, **query):
    answer = client.get("rates", params={"area": PLACE, **query})
    assert answer.ok, answer.text
    return answer.json()


def behind(client: Client, link: str) -> set[str]:
    answer = client.get(link, params={"limit": 200})
    assert answer.ok, answer.text
    return {item["id"] for item in answer.json()["items"]}


def test_each_rate_says_what_it_is_made_of_and_links_to_its_tickets(town, counted):
    told = rates(town.clerk)

    assert (told["collected"], told["solved"]) == (3, 1)
    assert {rate: told[rate]["value"] for rate in RATES} == {
        "solved_share": 0.3333,
        "response_rate": 1.0,
        "resolution_rate": 0.5,
        "satisfaction_rate": 0.5,
    }
    assert behind(town.clerk, told["resolution_rate"]["links"]["numerator"]) == {counted["solved"]}
    for rate in RATES:
        for part, link in told[rate]["links"].items():
            assert len(behind(town.clerk, link)) == told[rate][part]
            assert parse_qs(urlsplit(link).query)["rate"] == [rate]


@pytest.mark.parametrize("by", ["day", "month", "area", "department", "category", "channel"])
def test_each_group_links_to_its_own(town, counted, by):
    told = rates(town.clerk, by=by)

    assert sum(item["collected"] for item in told["items"]) == 3
    for item in told["items"]:
        for rate in RATES:
            for part, link in item[rate]["links"].items():
                assert len(behind(town.clerk, link)) == item[rate][part]


def test_channels_are_called_as_people_call_them(town, counted):
    query = {"area": PLACE, "by": "channel"}
    answer = town.clerk.get("rates", params=query, headers={"Accept-Language": "zh-CN"})
    assert {item["key"]: item["name"] for item in answer.json()["items"]} == {"page": "网页"}


def test_departments_see_their_own_and_residents_none(town, counted):
    assert rates(town.water_clerk)["collected"] == 1
    assert rates(town.roads_clerk)["collected"] == 0
    assert rates(town.secretary, department="none")["collected"] == 2
    link = rates(town.water_clerk)["response_rate"]["links"]["numerator"]
    assert behind(town.water_clerk, link) == {counted["given"]}
    assert town.water_clerk.get(link).json()["hidden"] == 0
    assert behind(town.resident, link) == behind(town.nobody, link) == set()
    for who in (town.resident, town.grid_worker, town.administrator):
        assert who.get("rates").status_code == 403
    assert town.nobody.get("rates").status_code == 401


def test_before_anything_was_filed_there_is_nothing(town, counted):
    told = rates(town.clerk, as_of="2026-01-01", to="2026-01-01")

    assert (told["as_of"], told["collected"]) == ("2026-01-01", 0)
    assert told["response_rate"]["value"] is None


def test_a_key_needs_the_scope(town, counted):
    owner = {"person": town.ids["clerk"]}

    assert rates(town.key(owner, "figures:read"))["collected"] == 3
    assert town.key(owner, "tickets:read").get("rates").status_code == 403


def test_the_secretary_excludes_and_takes_it_back(town, counted):
    path = f"tickets/{counted['partly']}/exclusion"
    body = {"rate": "resolution_rate", "reason": "moved away"}

    made = town.secretary.post(path, body)
    twice = town.secretary.post(path, body)
    told = rates(town.clerk)["resolution_rate"]
    seen = town.clerk.get(path).json()["items"]
    back = town.secretary.delete(f"{path}?rate=resolution_rate")
    again = town.secretary.delete(f"{path}?rate=resolution_rate")

    assert (made.status_code, twice.status_code) == (201, 409)
    assert (told["numerator"], told["denominator"], told["excluded"]) == (1, 1, 1)
    assert [(one["rate"], one["reason"], one["by"]) for one in seen] == [
        ("resolution_rate", "moved away", town.ids["secretary"])
    ]
    assert (back.status_code, back.json()["items"]) == (200, [])
    assert again.status_code == 404
    assert again.json()["type"] == "/problems/not_excluded"


def test_only_the_secretary_may_exclude(town, counted):
    path = f"tickets/{counted['solved']}/exclusion"
    body = {"rate": "resolution_rate", "reason": "no"}

    assert town.clerk.post(path, body).status_code == 403
    assert town.resident.post(path, body).status_code == 403
    assert town.neighbour.post(path, body).status_code == 404
    assert town.neighbour.get(path).status_code == 404


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=2026-02-02&to=2026-02-01", "/to"),
        ("from=2020-01-01&to=2026-02-01", "/from"),
        ("from=yesterday", "/from"),
        ("by=mood", "/by"),
        ("as_of=2026-13-01", "/as_of"),
        ("direct=yes", "/direct"),
        ("mood=bad", "/mood"),
    ],
)
def test_a_bad_query_is_422_and_names_the_parameter(town, query, pointer):
    refused = town.clerk.get(f"rates?{query}")

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


@pytest.mark.parametrize("query", ["part=numerator", "as_of=2026-01-01", "rate=mood"])
def test_a_list_of_no_rate_has_no_part_of_one(town, query):
    assert town.clerk.get(f"tickets?{query}").status_code == 422


def test_rates_while_tickets_is_away_are_503(town):
    with away(town, "tickets"):
        assert unavailable(town.clerk.get("rates"))
    eventually(lambda: town.clerk.get("rates").ok, within=20)
