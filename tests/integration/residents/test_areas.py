"""The area tree in a real database."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from chassis.errors import Forbidden, Invalid, NotFound
from services.residents import area_codes
from services.residents.errors import AreaExists
from services.residents.models import Area
from tests.integration.residents.world import COMMUNITY, MOMENT, World, caller


def codes(page):
    return [item["code"] for item in page["items"]]


def test_a_place_is_added_with_its_position_and_its_event(world):
    world.add_community("e1")

    added = world.add_area(f"{COMMUNITY}.e1.g2", "二号网格", names={"en": "Grid 2"})

    assert added == {
        "code": f"{COMMUNITY}.e1.g2",
        "level": "grid",
        "name": "二号网格",
        "names": {"zh": "二号网格", "en": "Grid 2"},
        "parent": f"{COMMUNITY}.e1",
        "path": ["340603000000", "340603008000", COMMUNITY, f"{COMMUNITY}.e1", added["code"]],
        "routing": "340603.008.002.e1.g2",
        "version": 1,
    }
    event = world.events("area")[-1]
    assert event["type"] == "linli.residents.area_added.v1"
    assert event["key"] == "area.added.v1.none.340603.008.002.e1.g2"
    assert event["subject"] == added["code"]
    assert event["sequence"] == "0000000001"
    del added["version"]
    assert event["data"] == added


def test_a_street_grid_needs_no_estate(world):
    world.add_community("g7")

    assert world.area(f"{COMMUNITY}.g7")["parent"] == COMMUNITY


def test_a_place_whose_parent_is_missing_is_refused(world):
    with pytest.raises(Invalid) as refused:
        world.add_area(COMMUNITY)

    assert refused.value.errors[0]["pointer"] == "/code"
    assert refused.value.errors[0]["code"] == "unknown_parent"
    assert world.events() == []


def test_a_code_is_given_once(world):
    world.add_area("340603000000")

    with pytest.raises(AreaExists):
        world.add_area("340603000000")


def test_a_repeated_command_returns_what_the_first_one_made_and_emits_nothing(world):
    call = caller()
    first = world.add_area("340603000000", "相山区", call)

    assert world.add_area("340603000000", "相山区", call) == first
    assert len(world.events()) == 1


def test_renaming_keeps_the_code_and_counts_on(world):
    world.add_area("340603000000", "相山区", names={"en": "Xiangshan"})

    renamed = world.rename_area("340603000000", "相山新区")

    assert renamed["code"] == "340603000000"
    # The old name's translation does not survive the name.
    assert renamed["names"] == {"zh": "相山新区"}
    assert renamed["version"] == 2
    event = world.events("area_renamed")[0]
    assert event["sequence"] == "0000000002"
    assert event["data"]["name"] == "相山新区"


def test_renaming_to_the_same_name_changes_nothing(world):
    world.add_area("340603000000", "相山区")

    assert world.rename_area("340603000000", "相山区")["version"] == 1
    assert len(world.events()) == 1


def test_only_whoever_reaches_a_place_may_change_it(world):
    world.add_community("e1", "e2")
    clerk = caller(f"area:{COMMUNITY}.e1")

    world.rename_area(f"{COMMUNITY}.e1", "一号", clerk)
    world.add_area(f"{COMMUNITY}.e1.g1", call=clerk)
    with pytest.raises(NotFound):
        world.rename_area(f"{COMMUNITY}.e2", "二号", clerk)
    with pytest.raises(Forbidden):
        world.add_area(f"{COMMUNITY}.e2.g1", call=clerk)
    with pytest.raises(Forbidden):
        world.rename_area(COMMUNITY, "乱改", caller("any", "areas.read"))


def test_an_unknown_place_and_an_unseen_one_look_the_same(world):
    world.add_community()

    with pytest.raises(NotFound) as unknown:
        world.area("340603008009")
    with pytest.raises(NotFound) as unseen:
        world.area(COMMUNITY, caller("area:340603009000"))
    assert unknown.value.to_wire() == unseen.value.to_wire()


def test_a_list_holds_what_the_caller_may_see_in_the_order_of_the_tree(world):
    world.add_community("e2", "e10", "e1", "e1.g10", "e1.g9")

    seen = codes(world.areas(caller(f"area:{COMMUNITY}", "areas.read")))

    assert seen == [
        COMMUNITY,
        *(f"{COMMUNITY}.{part}" for part in ("e1", "e1.g9", "e1.g10", "e2", "e10")),
    ]
    assert codes(world.areas(caller("own"))) == []


def test_a_list_is_narrowed_to_a_subtree_and_a_level(world):
    world.add_community("e1", "e1.g1", "e10", "e10.g1")

    assert codes(world.areas(within=f"{COMMUNITY}.e1")) == [f"{COMMUNITY}.e1", f"{COMMUNITY}.e1.g1"]
    assert codes(world.areas(level="grid")) == [f"{COMMUNITY}.e1.g1", f"{COMMUNITY}.e10.g1"]


def test_the_nearest_places_come_first(world):
    world.add_community("e1", "e1.g1", "e1.g1.b1", "e1.g2", "e2")

    near = codes(world.areas(near=f"{COMMUNITY}.e1.g2"))

    parts = ["e1.g2", "e1", "e1.g1", "e1.g1.b1"]
    assert near == [
        *(f"{COMMUNITY}.{part}" for part in parts),
        COMMUNITY,
        f"{COMMUNITY}.e2",
        "340603008000",
        "340603000000",
    ]


def test_what_is_near_is_told_by_where_the_caller_lives_or_works(world):
    world.add_community("e1", "e2", "e2.g1")
    lives = world.register(area=f"{COMMUNITY}.e1")["id"]
    works = world.register(area=f"{COMMUNITY}.e1")["id"]
    world.start_duty(works, "grid_worker", area=f"{COMMUNITY}.e2.g1", **{"from": "2020-01-01"})

    assert codes(world.areas(caller(person=lives)))[0] == f"{COMMUNITY}.e1"
    assert codes(world.areas(caller(person=works)))[0] == f"{COMMUNITY}.e2.g1"


@pytest.mark.parametrize("near", [None, f"{COMMUNITY}.e2.g3"])
def test_pages_follow_each_other_without_gap_or_double_while_places_are_added(world, near):
    world.add_community(*(f"e{number}" for number in range(1, 8)), "e2.g3")
    wanted = {"limit": 3} | ({"near": near} if near else {})
    first = world.areas(**wanted)
    expected = codes(world.areas(**(wanted | {"limit": 200})))
    world.add_area(f"{COMMUNITY}.e1.g1")

    seen, cursor = codes(first), first["next"]
    while cursor:
        page = world.areas(**wanted, after=cursor)
        assert len(page["items"]) <= 3
        seen, cursor = seen + codes(page), page["next"]

    assert [code for code in seen if code != f"{COMMUNITY}.e1.g1"] == expected
    assert len(seen) == len(set(seen))


def test_children_are_the_places_right_below(world):
    world.add_community("e1", "e1.g1", "g7", "b12")

    page = world.children(COMMUNITY, limit=2)

    assert codes(page) == [f"{COMMUNITY}.b12", f"{COMMUNITY}.e1"]
    assert codes(world.children(COMMUNITY, after=page["next"])) == [f"{COMMUNITY}.g7"]
    assert codes(world.children(f"{COMMUNITY}.g7")) == []
    with pytest.raises(NotFound):
        world.children("340603008009")


def test_a_cursor_of_another_list_is_refused(world):
    world.add_community("e1", "e2")

    with pytest.raises(Invalid):
        world.areas(near=COMMUNITY, after=world.areas(limit=1)["next"])


def test_a_subtree_is_read_from_one_range_of_the_index_already_in_order(owner_session):
    """Among twenty thousand places: the filter is an index range, and nothing is sorted."""
    add_grids(owner_session, communities=20, grids=1000)
    world = World(owner_session)
    first = world.areas(within=COMMUNITY, limit=200)

    plan = plan_of(
        owner_session, lambda: world.areas(within=COMMUNITY, limit=200, after=first["next"])
    )

    assert first["items"][9]["code"] == f"{COMMUNITY}.g10"
    assert "Index Scan using areas_tree_key_key" in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan


def add_grids(session, communities, grids):
    codes = [
        f"340603008{community:03}.g{grid}"
        for community in range(1, communities + 1)
        for grid in range(1, grids + 1)
    ]
    columns = {"level": "grid", "name": "", "names": {}, "sequence": 1, "created_at": MOMENT}
    session.execute(
        insert(Area),
        [{"code": code, "tree_key": area_codes.tree_key(code), **columns} for code in codes],
    )
    session.execute(text("ANALYZE areas"))


def plan_of(session, query):
    """How PostgreSQL runs the last SELECT of `query`, with no wall around it."""
    statements = []
    connection = session.connection()
    event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2:4]))
    query()
    cursor = connection.connection.cursor()
    selects = [each for each in statements if each[0].startswith("SELECT")]
    select, parameters = [each for each in selects if "set_config" not in each[0]][-1]
    cursor.execute(f"EXPLAIN {select}", parameters)
    return "\n".join(line for (line,) in cursor)


def test_two_who_add_the_same_place_at_once_make_one(concurrent):
    """The second insert waits for the first to commit and then finds it."""
    call = caller()

    def add(_number):
        with Session(concurrent) as session, session.begin():
            return World(session).add_area("990101000000", "同时", call)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(add, range(16)))

    with Session(concurrent) as session:
        assert all(area == made[0] for area in made)
        assert session.get(Area, "990101000000") is not None
        assert len(World(session).events_of("990101000000")) == 1
