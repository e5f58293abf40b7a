"""Households over HTTP: who may see and record them, and what is refused."""

from uuid import UUID, uuid4

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


@pytest.mark.parametrize("who", ["resident", "water_clerk"])
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
        ({"head": str(UUID(int=7))}, "/head", "unknown_person"),
        ({"members": []}, "/members", "unknown_field"),
    ],
)
def test_what_does_not_fit_is_pointed_at(town, fields, pointer, code):
    refused = town.administrator.post("households", a_door(**fields))

    assert refused.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in refused.json()["errors"]] == [
        (pointer, code)
    ]


@pytest.fixture
def person(town):
    """Somebody of the first grid, whom its worker registered."""
    return town.grid_worker.make("residents", {"name": "周瑜", "area": BUILDING})["id"]


def test_a_grid_worker_records_who_lives_where_and_who_has_moved(town, household, person):
    path = f"households/{household['id']}/members"
    made = town.grid_worker.make(
        path, {"resident": person, "relation": "head", "from": "2020-02-01"}
    )
    listed = town.grid_worker.get(path).json()["items"]
    headed = town.grid_worker.get(f"households/{household['id']}").json()
    gone = town.grid_worker.make(f"{path}/{made['id']}/departure", {"to": "2026-01-31"})

    assert [(item["resident"], item["name"]) for item in listed] == [(person, "周**")]
    assert headed["head"] == person
    assert headed["recorded_at"] is not None
    assert gone["to"] == "2026-01-31"
    assert town.clerk.get(path).json()["items"] == []
    assert len(town.clerk.get(f"{path}?on=2026-01-31").json()["items"]) == 1
    assert town.clerk.get(f"residents/{person}/households?past=true").json()["items"] == [gone]


def test_a_person_has_one_registered_residence_and_moves_from_it(town, household, person):
    other = town.clerk.make("households", a_door(area=f"{COMMUNITY}.e1.g2"))
    stay = {"resident": person, "from": "2020-02-01"}
    town.clerk.make(f"households/{household['id']}/members", stay)
    path = f"households/{other['id']}/members"

    refused = town.clerk.post(path, {**stay, "from": "2026-03-01"})
    moved = town.clerk.make(path, {**stay, "from": "2026-03-01", "moving": True})

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/residence_overlaps")
    assert moved["from"] == "2026-03-01"
    (left,) = town.clerk.get(f"residents/{person}/households?past=true").json()["items"]
    assert (left["household"], left["to"]) == (household["id"], "2026-02-28")
    everything = ["moved_in", "moved_out", "moved_in"]
    eventually(lambda: moves_of(town, person)[-3:] == everything)


def moves_of(town, person):
    items = town.clerk.get(f"events?subject={person}").json()["items"]
    return [item["type"].split(".")[2].removeprefix("resident_") for item in items]


def test_people_see_where_they_live_and_with_whom_and_nothing_else(town, household):
    person = town.ids["neighbour"]
    town.administrator.make(
        f"households/{household['id']}/members", {"resident": person, "registered": False}
    )
    path = f"households/{household['id']}"

    assert town.neighbour.get(path).json()["door"] == household["door"]
    assert [item["id"] for item in town.neighbour.get("households").json()["items"]] == [
        household["id"]
    ]
    assert [item["resident"] for item in town.neighbour.get(f"{path}/members").json()["items"]] == [
        person
    ]
    assert town.resident.get(path).status_code == 404
    assert town.resident.get(f"{path}/members").status_code == 404
    assert town.neighbour.post(f"{path}/closure", {}).status_code == 403
    (stay,) = town.neighbour.get(f"residents/{person}/households").json()["items"]
    town.administrator.make(f"{path}/members/{stay['id']}/departure", {})
    assert town.neighbour.get(path).status_code == 404


def test_a_head_must_live_there_and_a_household_with_people_stays_open(town, household, person):
    path = f"households/{household['id']}"
    etag = {"If-Match": town.clerk.get(path).headers["ETag"]}

    stranger = town.clerk.patch(path, {"head": person}, headers=etag)
    member = town.clerk.make(f"{path}/members", {"resident": person, "relation": "child"})
    etag = {"If-Match": town.clerk.get(path).headers["ETag"]}
    headed = town.clerk.patch(path, {"head": person}, headers=etag)
    open_still = town.clerk.post(f"{path}/closure", {})
    corrected = town.clerk.patch(f"{path}/members/{member['id']}", {"relation": "parent"})

    assert stranger.json()["errors"][0]["code"] == "not_a_member"
    assert headed.json()["head"] == person
    assert open_still.json()["type"] == "/problems/household_inhabited"
    assert corrected.json()["relation"] == "parent"


def test_how_far_the_census_is_is_told_by_place(town, household, person):
    town.clerk.make(f"households/{household['id']}/members", {"resident": person})

    whole = town.clerk.get(f"households/coverage?area={COMMUNITY}&level=grid").json()
    mine = town.grid_worker.get(f"households/coverage?area={GRID}").json()

    grid = next(item for item in whole["items"] if item["area"] == GRID)
    assert grid == {key: mine[key] for key in ("area", "dwellings", "recorded", "share")}
    assert mine["share"] == round(mine["recorded"] / mine["dwellings"], 4)
    assert town.grid_worker.get(f"households/coverage?area={COMMUNITY}").status_code == 404
    assert town.resident.get(f"households/coverage?area={COMMUNITY}").status_code == 404


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
