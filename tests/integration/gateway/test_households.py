"""Households over HTTP: who may see and record them, and what is refused."""

from uuid import uuid4

import pytest

from chassis.testing import eventually
from tests.integration.gateway.test_neighbours_away import away
from tests.integration.gateway.town import BUILDING, COMMUNITY

GRID = f"{COMMUNITY}.e1.g1"


def a_door(**fields):
    return {"area": BUILDING, "door": uuid4().hex[:8], "from": "2020-01-01", **fields}


@pytest.fixture
def household(town):
    """A household of the first grid, as a grid worker registered it."""
    return town.grid_worker.make("households", a_door(tenure="owned"))


def test_a_grid_worker_registers_reads_amends_and_closes_a_household(town):
    made = town.grid_worker.post("households", a_door(door="402", tenure="owned"))
    path = made.headers["Location"].removeprefix("/api/v1/")
    read = town.grid_worker.get(path)
    amended = town.grid_worker.patch(
        path, {"tenure": "rented"}, headers={"If-Match": read.headers["ETag"]}
    )
    closed = town.grid_worker.post(f"{path}/closure", {"to": "2026-01-31"})

    assert made.status_code == 201
    assert read.json() == made.json()
    assert (made.json()["grid"], made.json()["building"]) == (GRID, BUILDING)
    assert amended.json()["tenure"] == "rented"
    assert closed.json()["to"] == "2026-01-31"
    again = town.grid_worker.post(f"{path}/closure", {"to": "2026-02-28"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/household_is_closed")


def test_what_was_registered_twice_is_there_once(town):
    body, key = a_door(), {"Idempotency-Key": str(uuid4())}

    first = town.clerk.make("households", body, headers=key)
    assert town.clerk.make("households", body, headers=key) == first
    other = town.clerk.post("households", body)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/household_exists")
    assert other.json()["household"] == first["id"]


def test_an_amendment_says_which_version_it_was_decided_on(town, household):
    path = f"households/{household['id']}"
    etag = town.clerk.get(path).headers["ETag"]
    town.grid_worker.patch(path, {"tenure": "public"}, headers={"If-Match": etag})

    stale = town.clerk.patch(path, {"tenure": "other"}, headers={"If-Match": etag})

    assert stale.status_code == 412
    assert town.clerk.patch(path, {"tenure": "other"}).status_code == 428
    assert town.clerk.get(path).json()["tenure"] == "public"


def test_lists_hold_what_lies_in_the_caller_s_grid(town, household):
    street = town.clerk.make("households", a_door(area=f"{COMMUNITY}.e1.g2"))
    page = f"households?within={COMMUNITY}&limit=200"

    seen = {item["id"] for item in town.clerk.get(page).json()["items"]}
    workers = {item["id"] for item in town.grid_worker.get(page).json()["items"]}

    assert {household["id"], street["id"]} <= seen
    assert household["id"] in workers
    assert street["id"] not in workers
    assert town.grid_worker.get(f"households/{street['id']}").status_code == 404
    first = town.clerk.get("households?limit=1")
    assert 'rel="next"' in first.headers["Link"]


@pytest.mark.parametrize("who", ["neighbour", "water_clerk"])
def test_households_are_not_for_everybody(town, household, who):
    client = town.people[who]

    assert client.post("households", a_door()).status_code == 403
    assert client.get(f"households/{household['id']}").status_code == 404
    assert client.post(f"households/{household['id']}/closure", {}).status_code == 404
    assert town.nobody.get("households").status_code == 401


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"area": GRID}, "/area", "no_building"),
        ({"area": f"{COMMUNITY}.e1.g1.b77"}, "/area", "unknown_area"),
        ({"area": "340603008000"}, "/area", "area_too_wide"),
        ({"from": "2999-01-01"}, "/from", "in_the_future"),
        ({"tenure": "borrowed"}, "/tenure", "invalid_value"),
        ({"door": ""}, "/door", "invalid_value"),
        ({"head": "x"}, "/head", "unknown_field"),
    ],
)
def test_what_does_not_fit_is_pointed_at(town, fields, pointer, code):
    refused = town.administrator.post("households", a_door(**fields))

    assert refused.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in refused.json()["errors"]] == [
        (pointer, code)
    ]


def test_a_key_needs_its_scope(town, household):
    owner = {"person": town.ids["clerk"]}
    reader, blind = town.key(owner, "households:read"), town.key(owner, "residents:read")

    assert reader.get(f"households/{household['id']}").ok
    assert reader.post("households", a_door()).status_code == 403
    assert blind.get("households").status_code == 403


def test_who_works_there_hears_of_it_without_its_door(town):
    made = town.clerk.make("households", a_door(door=f"金丝雀 {uuid4()}"))

    def heard(client):
        return client.get(f"events?subject={made['id']}").json()["items"]

    (event,) = eventually(lambda: heard(town.grid_worker))
    assert event["type"] == "linli.residents.household_registered.v1"
    assert "金丝雀" not in str(event)
    assert heard(town.resident) == heard(town.water_clerk) == []


def test_while_the_registry_is_away_it_is_503_and_one_household_later(town):
    body, key = a_door(), {"Idempotency-Key": str(uuid4())}
    with away(town, "residents"):
        answer = town.clerk.post("households", body, headers=key)
        listed = town.clerk.get("households")

    assert (answer.status_code, listed.status_code) == (503, 503)
    assert int(answer.headers["Retry-After"]) > 0
    made = eventually(lambda: _made(town.clerk, body, key), within=20)
    assert town.clerk.make("households", body, headers=key)["id"] == made["id"]


def _made(client, body, key):
    answer = client.post("households", body, headers=key)
    return answer.json() if answer.status_code == 201 else None
