"""How much of a census has been done, in a real database."""

import pytest
from sqlalchemy import text

from chassis.errors import NotFound
from tests.integration.residents.test_areas import plan_of
from tests.integration.residents.town import a_town
from tests.integration.residents.world import COMMUNITY, World, caller

DWELLINGS, RECORDED, BUILDINGS = 2_018, 1_265, 14


def recorded_without_commands(session, number):
    """Make people recorded in so many dwellings, some in each building."""
    session.execute(
        text(
            "UPDATE households SET recorded_at = now() WHERE id IN "
            "(SELECT id FROM households ORDER BY md5(id::text) LIMIT :number)"
        ),
        {"number": number},
    )


def shares(page):
    return {item["area"]: (item["dwellings"], item["recorded"]) for item in page["items"]}


def test_a_census_of_two_thousand_dwellings_says_how_far_it_is_by_grid_and_by_building(
    owner_session,
):
    """2,018 dwellings known, people recorded in 1,265 of them: 62.7 %."""
    doors, more = divmod(DWELLINGS, BUILDINGS)
    buildings = a_town(owner_session, buildings=BUILDINGS, doors=doors)
    grids = sorted({building.rpartition(".")[0] for building in buildings})
    world = World(owner_session)
    for number in range(more):
        world.register_household(buildings[0], f"另 {number} 号")
    recorded_without_commands(owner_session, RECORDED - 20)
    for household in world.households(recorded=False, limit=20)["items"]:
        head = world.register(area=household["area"])["id"]
        world.move_in(household["id"], head, relation="head")

    whole = world.coverage(COMMUNITY, level="building", limit=200)
    by_grid = world.coverage(f"{COMMUNITY}.e1")

    total = {key: whole[key] for key in ("area", "dwellings", "recorded", "share")}
    assert total == {
        "area": COMMUNITY,
        "dwellings": DWELLINGS,
        "recorded": RECORDED,
        "share": 0.6269,
    }
    for page, places in ((whole, buildings), (by_grid, grids)):
        assert sorted(shares(page)) == sorted(places)
        assert sum(dwellings for dwellings, _ in shares(page).values()) == DWELLINGS
        assert sum(recorded for _, recorded in shares(page).values()) == RECORDED
    with_one = "SELECT count(*) FROM households WHERE building = area AND area LIKE grid || '.b%'"
    assert owner_session.scalar(text(with_one)) == DWELLINGS
    unvisited = world.households(within=buildings[0], recorded=False, limit=200)["items"]
    dwellings, recorded = shares(whole)[buildings[0]]
    assert len(unvisited) == dwellings - recorded


def test_closed_households_are_not_counted_and_no_dwellings_have_no_share(world):
    world.add_community("e1", "e2")
    household = world.register_household(f"{COMMUNITY}.e1", "1 号")["id"]
    world.close_household(household)
    world.register_household(f"{COMMUNITY}.e1", "2 号")

    items = world.coverage(COMMUNITY)["items"]

    assert [(item["dwellings"], item["share"]) for item in items] == [(1, 0.0), (0, None)]


def test_the_parts_of_a_place_come_in_pages(world):
    world.add_community("e1", "e2", "e10")

    first = world.coverage(COMMUNITY, limit=2)
    second = world.coverage(COMMUNITY, after=first["next"])

    codes = [item["area"] for item in first["items"] + second["items"]]
    assert codes == [f"{COMMUNITY}.{part}" for part in ("e1", "e2", "e10")]


def test_who_works_in_a_grid_counts_their_grid_only(world):
    world.add_community("e1", "e1.g1", "e1.g2")
    worker = caller(f"area:{COMMUNITY}.e1.g1", "households.read")

    assert world.coverage(f"{COMMUNITY}.e1.g1", worker)["dwellings"] == 0
    for area in (f"{COMMUNITY}.e1.g2", f"{COMMUNITY}.e1", f"{COMMUNITY}.e7"):
        with pytest.raises(NotFound):
            world.coverage(area, worker)


def test_dwellings_are_counted_from_the_index_of_what_is_there(owner_session):
    """Among four thousand that are there and twelve thousand that are no more."""
    a_town(owner_session, buildings=100, doors=40, past=120)
    world = World(owner_session)

    plan = plan_of(owner_session, lambda: world.coverage(COMMUNITY, level="building", limit=200))

    assert "households_open" in plan
    assert "Seq Scan on households" not in plan
