"""Areas, residents, duties and departments over HTTP."""

from uuid import uuid4

import pytest

from services.residents import official_load
from tests.integration.gateway.town import BUILDING, COMMUNITY
from tests.integration.residents.official import archive


def test_everybody_sees_the_place_tree(town):
    found = town.nobody.get(f"areas/{BUILDING}").json()
    below = town.nobody.get(f"areas/{COMMUNITY}.e1/children").json()["items"]

    assert found["level"] == "building"
    assert found["path"][-2:] == [f"{COMMUNITY}.e1.g1", BUILDING]
    assert {place["code"] for place in below} >= {f"{COMMUNITY}.e1.g1", f"{COMMUNITY}.e1.g2"}


def test_an_administrator_adds_and_renames_a_place(town):
    code = f"{COMMUNITY}.e9"
    added = town.administrator.post("areas", {"code": code, "name": "新小区"})
    etag = town.administrator.get(f"areas/{code}").headers["ETag"]

    renamed = town.administrator.patch(
        f"areas/{code}", {"name": "老小区"}, headers={"If-Match": etag}
    )
    stale = town.administrator.patch(f"areas/{code}", {"name": "x"}, headers={"If-Match": etag})

    assert added.headers["Location"] == f"/api/v1/areas/{code}"
    assert added.headers["ETag"] == etag
    assert (renamed.status_code, renamed.json()["name"]) == (200, "老小区")
    assert stale.status_code == 412
    again = town.administrator.post("areas", {"code": code, "name": "x"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/area_exists")


@pytest.mark.parametrize("who", ["resident", "clerk", "secretary", "grid_worker", "water_clerk"])
def test_only_administrators_write_the_registrys_frame(town, who):
    client = town.people[who]
    duty = {"person": town.ids["clerk"], "role": "clerk", "area": COMMUNITY, "from": "2026-01-01"}

    assert client.post("areas", {"code": f"{COMMUNITY}.e8", "name": "x"}).status_code == 403
    assert client.patch(f"areas/{COMMUNITY}", {"name": "x"}).status_code == 403
    assert client.post("departments", {"code": "new", "name": "x"}).status_code == 403
    assert client.post("duties", duty).status_code == 403


def test_somebody_without_a_session_is_asked_to_sign_in(town):
    for path in ("residents", "duties", "inbox", "api-keys", "sessions", "sessions/current"):
        assert town.nobody.get(path).status_code == 401, path
    assert town.nobody.post("areas", {"code": COMMUNITY, "name": "x"}).status_code == 401


def test_a_clerk_registers_somebody_and_everything_comes_back_masked(town):
    person = {"name": "赵一", "phone": "13700000001", "area": BUILDING, "address": "101"}
    made = town.clerk.post("residents", person)
    found = town.clerk.make("residents/searches", {"phone": "13700000001"})["items"]

    assert made.status_code == 201
    assert made.json()["phone"] == "137****0001"
    assert [entry["id"] for entry in found] == [made.json()["id"]]
    assert "13700000001" not in made.text
    assert found[0]["phone"] == "137****0001"
    again = town.clerk.post("residents", person)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/resident_exists")


def test_a_phone_is_never_looked_for_in_a_url(town):
    assert town.clerk.get("residents?phone=13700000001").status_code == 422


def test_people_see_and_amend_themselves_and_nobody_else(town):
    mine = f"residents/{town.ids['neighbour']}"

    amended = town.neighbour.patch(mine, {"name": "吴强", "locale": "zh-CN"})

    assert amended.json()["name"] == "吴强"
    assert town.neighbour.get(mine).ok
    assert town.resident.get(mine).status_code == 404
    assert town.resident.patch(mine, {"name": "x"}).status_code == 404
    assert town.neighbour.patch(mine, {"phone": "13700000009"}).status_code == 403


def test_people_leave_an_e_mail_address_which_is_shown_masked(town):
    mine = f"residents/{town.ids['neighbour']}"

    left = town.neighbour.patch(mine, {"email": "wu.qiang@example.org"})
    refused = town.neighbour.patch(mine, {"email": "wu.qiang at example.org"})
    removed = town.neighbour.patch(mine, {"email": None})

    assert left.json()["email"] == "w****@example.org"
    assert "wu.qiang" not in left.text
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/email")
    assert removed.json()["email"] is None


def test_an_empty_change_is_refused(town):
    assert town.neighbour.patch(f"residents/{town.ids['neighbour']}", {}).status_code == 422


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("administrator", 200),
        ("secretary", 200),
        ("water_clerk", 200),
        ("clerk", 403),
        ("grid_worker", 403),
        ("resident", 403),
    ],
)
def test_who_works_for_a_department_is_told_to_those_who_deal_with_it(town, who, status):
    client = town.administrator if who == "administrator" else town.people[who]

    found = client.get("departments/water/clerks")

    assert found.status_code == status, found.text
    if status == 200:
        assert [each["person"] for each in found.json()["items"]] == [town.ids["water_clerk"]]
    assert town.nobody.get("departments/water/clerks").status_code == 401


def test_a_department_is_added_changed_and_closed(town):
    code = f"d{uuid4().hex[:8]}"
    added = town.administrator.post("departments", {"code": code, "name": "新部门"})
    closed = town.administrator.patch(f"departments/{code}", {"active": False})
    active = town.nobody.get("departments?active=true&limit=200").json()["items"]

    assert added.headers["Location"] == f"/api/v1/departments/{code}"
    assert closed.json()["active"] is False
    assert code not in {department["code"] for department in active}


def test_duties_are_found_by_person_and_by_day(town):
    person = town.ids["grid_worker"]

    held = town.clerk.get(f"duties?person={person}&on=2026-06-01").json()["items"]
    before = town.clerk.get(f"duties?person={person}&on=2025-06-01").json()["items"]

    assert [duty["role"] for duty in held] == ["grid_worker"]
    assert before == []


def test_a_community_is_found_and_added_by_its_official_code(town, tmp_path):
    database = town.environ["LINLI_DATABASE_URL_RESIDENTS"]
    official_load.load(archive(tmp_path / "official.tgz"), database)

    found = town.nobody.get("areas/official?q=陈庄社区&under=340600000000").json()["items"]
    added = town.administrator.post("areas", {"code": found[0]["code"]})

    assert (added.status_code, added.json()["name"]) == (201, found[0]["short_name"])
    assert town.nobody.get("areas/340603009000").json()["name"] == "高岳街道"
    nameless = town.administrator.post("areas", {"code": "999999000000"})
    assert (nameless.status_code, nameless.json()["errors"][0]["pointer"]) == (422, "/name")
    for query in ("", "?q=", "?q=x&limit=51", "?q=x&under=34", "?q=x&after=x"):
        assert town.nobody.get(f"areas/official{query}").status_code == 422, query


def test_everybody_sees_the_categories_in_their_language(town):
    items = {item["code"]: item for item in town.nobody.get("categories").json()["items"]}

    assert items["water.burst_pipe"]["name"] == "Burst water pipe"
    assert items["water.burst_pipe"]["department"] == "water"
    assert items["water"]["parent"] is None
