"""The census of two commercial estates: 2,018 dwellings, 1,265 of them recorded, fourteen building
chiefs, five grids. Files go in over HTTP, and the figures come out over HTTP.
"""

from collections import Counter
from datetime import date, timedelta

import pytest
from stdnum.cn import ric

from chassis import clock
from chassis.testing import eventually
from tests.stack.clients import Client, new_key

DWELLINGS, RECORDED, BUILDINGS, GRIDS = 2_018, 1_265, 14, 5
COMMUNITY = "371322001002"
# Two estates; the first has three of the grids, the second two.
ESTATE_OF_GRID = (1, 1, 1, 2, 2)
SINCE = "2026-03-01"


def grid(number):
    return f"{COMMUNITY}.e{ESTATE_OF_GRID[number - 1]}.g{number}"


def building(number):
    return f"{grid((number - 1) % GRIDS + 1)}.b{number}"


BUILDING_CODES = [building(number) for number in range(1, BUILDINGS + 1)]
# Building by building in turn, so that each of them is recorded in part.
DOORS = [
    (
        BUILDING_CODES[number % BUILDINGS],
        f"{number // BUILDINGS // 4 + 1}0{number % 4 + 1}-{number}",
    )
    for number in range(DWELLINGS)
]


def id_number(number):
    body = f"371322{date(1950, 1, 1) + timedelta(days=number):%Y%m%d}001"
    return body + str(ric.calc_check_digit(body + "0"))


def csv(*rows):
    return "\n".join(",".join(row) for row in rows).encode("gb18030")


def areas():
    places = {"371322000000": "郯城县", "371322001000": "郯城街道", COMMUNITY: "两苑社区"}
    places |= {f"{COMMUNITY}.e{number}": f"{number}号小区" for number in (1, 2)}
    places |= {grid(number): f"第{number}网格" for number in range(1, GRIDS + 1)}
    places |= {code: f"{number}号楼" for number, code in enumerate(BUILDING_CODES, 1)}
    return csv(("区域代码", "名称"), *places.items())


def households():
    rows = [(area, door, "自有", SINCE) for area, door in DOORS]
    return csv(("楼栋代码", "门牌号", "产权", "起始日期"), *rows)


def heads():
    rows = [
        (f"户主{number}", id_number(number), area, door, "户主", SINCE)
        for number, (area, door) in enumerate(DOORS[:RECORDED])
    ]
    headings = ("姓名", "身份证号", "楼栋代码", "门牌号", "与户主关系", "入住日期")
    return csv(headings, *rows)


class Census:
    """What the community's office does."""

    def __init__(self, community):
        self._community = community
        self.office = community.administrators_key

    def bring(self, kind, content):
        """Send a file; the import when it is done."""
        part = {"file": (f"{kind}.csv", content)}
        sent = self.office.request("POST", f"{kind}/imports", files=part)
        assert sent.status_code == 202, sent.text
        where = f"{kind}/imports/{sent.json()['id']}"
        done = eventually(
            lambda: (job := self.office.read(where))["state"] in ("done", "failed") and job, 90
        )
        assert (done["state"], done["errors"]) == ("done", [])
        return done

    def gives_duty(self, person, role, area):
        body = {"person": person, "role": role, "area": area, "from": SINCE}
        self.office.make("duties", body)

    def chief_of(self, code):
        """Somebody who lives in the building is elected."""
        number = next(at for at, (area, _) in enumerate(DOORS) if area == code)
        wanted = {"id_number": id_number(number)}
        (found,) = self.office.make("residents/searches", wanted)["items"]
        self.gives_duty(found["id"], "building_chief", code)

    def worker_of(self, code):
        """A grid worker, signed in."""
        person = self.office.make("residents", {"name": "网格员"})["id"]
        self.gives_duty(person, "grid_worker", code)
        account = {"login": f"worker-{new_key()}", "password": "a long enough password"}
        self.office.make("accounts", {"person": person, **account})
        opened = self._community.anonymous.make("sessions", account)
        client = Client(self._community.url, opened["token"], person)
        eventually(lambda: len(client.read("sessions/current")["actor"]["roles"]) > 1)
        return client


@pytest.fixture(scope="module")
def census(community):
    """All files are in, the chiefs are elected, and a grid worker a grid is there."""
    census = Census(community)
    census.bring("areas", areas())
    census.bring("households", households())
    census.bring("residents", heads())
    for code in BUILDING_CODES:
        census.chief_of(code)
    census.workers = [census.worker_of(grid(number)) for number in range(1, GRIDS + 1)]
    yield census
    for worker in census.workers:
        worker.close()


@pytest.mark.timeout(300)
def test_the_figures_are_those_of_the_files(census):
    whole = census.office.read("households/coverage", params={"area": COMMUNITY})
    parts = {
        level: census.office.items("households/coverage", area=COMMUNITY, level=level, limit=200)
        for level in ("grid", "building")
    }
    duties = Counter(
        duty["role"] for duty in census.office.items("duties", within=COMMUNITY, limit=200)
    )

    assert (whole["dwellings"], whole["recorded"]) == (DWELLINGS, RECORDED)
    assert f"{whole['share']:.1%}" == "62.7%"
    assert {level: len(found) for level, found in parts.items()} == {
        "grid": GRIDS,
        "building": BUILDINGS,
    }
    for found in parts.values():
        assert sum(part["dwellings"] for part in found) == DWELLINGS
        assert sum(part["recorded"] for part in found) == RECORDED
    assert duties == {"building_chief": BUILDINGS, "grid_worker": GRIDS}


def test_each_household_is_in_one_building_and_one_grid(census):
    found = census.office.items("households", within=COMMUNITY, limit=200)

    assert len({each["id"] for each in found}) == DWELLINGS
    assert all(each["building"] == each["area"] for each in found)
    assert all(each["building"].rpartition(".")[0] == each["grid"] for each in found)
    assert Counter(each["head"] is not None for each in found) == {
        True: RECORDED,
        False: DWELLINGS - RECORDED,
    }


def test_a_grid_worker_lists_only_their_grid_and_each_read_is_audited(census):
    for number, worker in enumerate(census.workers, 1):
        began = clock.iso(clock.now())
        found = worker.items("households", limit=200)

        assert {each["grid"] for each in found} == {grid(number)}
        assert len(found) == sum(area.startswith(f"{grid(number)}.") for area, _ in DOORS)
        entries = census.office.items("audit", actor=worker.id, **{"from": began})
        pages = -(-len(found) // 200)
        assert [each["action"] for each in entries] == ["list"] * pages
        assert {(each["kind"], each["community"]) for each in entries} == {("household", COMMUNITY)}
    other = census.office.read("households", params={"within": grid(2), "limit": 1})
    elsewhere = other["items"][0]
    assert census.workers[0].get(f"households/{elsewhere['id']}").status_code == 404


def test_the_same_files_again_change_nothing(census):
    for kind, content, rows in (
        ("households", households(), DWELLINGS),
        ("residents", heads(), RECORDED),
    ):
        again = census.bring(kind, content)

        assert (again["rows"], again["unchanged"]) == (rows, rows)
