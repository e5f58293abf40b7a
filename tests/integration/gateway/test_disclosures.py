"""Personal data in full over HTTP: once, for a reason, not too often, and noted."""

import pytest
import requests

from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from tests.integration.gateway.test_neighbours_away import away, unavailable
from tests.integration.gateway.town import BUILDING, SERVICES

WANTED = {"fields": ["phone", "name"], "reason": "回访时敲门无人"}


@pytest.fixture(scope="module")
def disclosures(town):
    """Where a person's data is disclosed."""
    known = {"name": "周八", "phone": "13700000081", "area": BUILDING}
    person = town.clerk.make("residents", known)["id"]
    return f"residents/{person}/disclosures"


def test_a_clerk_sees_a_number_in_full_for_a_reason(town, disclosures):
    answer = town.clerk.post(disclosures, WANTED)

    assert answer.json() == {"phone": "+8613700000081", "name": "周八"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    audit = town.secretary.get(disclosures.replace("disclosures", "audit?action=disclose"))
    entry = audit.json()["items"][0]
    assert (entry["fields"], entry["reason"]) == (["name", "phone"], "回访时敲门无人")
    assert entry["actor"]["id"] == town.ids["clerk"]


def test_a_repeated_request_discloses_and_is_noted_again(town, disclosures):
    key = {"Idempotency-Key": "disclosure"}
    audit = disclosures.replace("disclosures", "audit?action=disclose")
    before = len(town.secretary.get(audit).json()["items"])

    for _ in range(2):
        assert town.clerk.post(disclosures, WANTED, headers=key).ok

    assert len(town.secretary.get(audit).json()["items"]) == before + 2


@pytest.mark.parametrize(
    ("who", "status"),
    [("secretary", 200), ("grid_worker", 403), ("resident", 404), ("administrator", 403)],
)
def test_who_may(town, disclosures, who, status):
    assert town.people[who].post(disclosures, WANTED).status_code == status


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"fields": ["phone"]}, "/reason"),
        ({"reason": "x"}, "/fields"),
        ({"fields": ["locale"], "reason": "x"}, "/fields/0"),
        ({"fields": [], "reason": "x"}, "/fields"),
        ({**WANTED, "more": 1}, "/more"),
    ],
)
def test_what_is_missing_or_wrong_is_named(town, disclosures, wrong, pointer):
    answer = town.clerk.post(disclosures, wrong)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_without_the_registry_it_is_503(town, disclosures):
    with away(town, "residents"):
        answer = town.clerk.post(disclosures, WANTED)

    assert unavailable(answer)
    eventually(lambda: town.clerk.post(disclosures, WANTED).ok, within=20)


def test_nobody_discloses_more_often_than_their_rate(town, disclosures, free_port):
    port = free_port()
    environ = {
        **town.environ,
        "LINLI_HTTP_PORT": str(port),
        "LINLI_RATE_DISCLOSURES": "2/hour",
    }
    with ServiceProcess(SERVICES["gateway"], environ) as replica:
        eventually(lambda: "service_started" in replica.log, within=20)
        statuses = [_posted(town.clerk, port, disclosures) for _ in range(3)]

    assert [answer.status_code for answer in statuses] == [200, 200, 429]
    assert int(statuses[-1].headers["Retry-After"]) > 0
    assert statuses[-1].headers["RateLimit-Policy"].startswith('"disclosures"')


def _posted(client, port, path):
    token = client._session.headers["Authorization"]
    return requests.post(
        f"http://127.0.0.1:{port}/api/v1/{path}",
        json=WANTED,
        headers={"Authorization": token},
        timeout=10,
    )
