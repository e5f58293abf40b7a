"""A register of households with the people who live in them, a row a household."""

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from services.residents.imports import member_cells
from services.residents.imports.columns import Row
from services.residents.models import Household, Member, Resident
from tests.integration.residents.importing import Importing, a_database, counts
from tests.integration.residents.world import COMMUNITY, World, a_phone, an_id_number, caller

BUILDING = f"{COMMUNITY}.e1.g1.b1"
HEADINGS = "楼栋代码,门牌号,产权,起始日期,户主,户主电话,户主身份证号,家庭成员"


@pytest.fixture(scope="module")
def engine(postgres):
    with a_database(postgres, ("e1", "e1.g1", "e1.g1.b1")) as engine:
        yield engine


@pytest.fixture
def households(engine):
    return Importing(engine, "households")


def register(*rows):
    return "\n".join([HEADINGS, *(",".join(row) for row in rows)])


def row(door, head="王建国", phone="", id_number="", members=""):
    return (BUILDING, door, "自有", "2026-01-01", head, phone, id_number, members)


def lives_at(engine, door):
    """Relation and whether there are numbers, of everybody behind a door."""
    with Session(engine) as session:
        world = World(session)
        found = [each for each in world.households(limit=200)["items"] if each["door"] == door]
        (household,) = found
        stays = world.members(household["id"])["items"]
        people = {each["resident"]: session.get(Resident, each["resident"]) for each in stays}
        return [
            (
                each["relation"],
                people[each["resident"]].phone is not None,
                people[each["resident"]].id_number is not None,
            )
            for each in sorted(stays, key=lambda each: each["id"])
        ]


def faults(found):
    return [(each["row"], each["column"], each["code"]) for each in found["errors"]]


def test_a_household_comes_with_its_head_and_members_once(households, engine):
    wife, child = a_phone(), an_id_number()
    file = register(
        row(
            "a1",
            phone=a_phone(),
            id_number=an_id_number(),
            members=f"李梅 配偶 {wife}；王小红（子女）{child}",
        ),
        row("a2", head="赵独居"),
        row("a3", head=""),
    )

    first, second = households.run(file), households.run(file)

    assert counts(first) == (3, 0, 0, 0), first["errors"]
    assert counts(second) == (0, 0, 3, 0), second["errors"]
    assert lives_at(engine, "a1") == [
        ("head", True, True),
        ("spouse", True, False),
        ("child", False, True),
    ]
    assert lives_at(engine, "a2") == [("head", False, False)]
    assert lives_at(engine, "a3") == []
    with Session(engine) as session:
        recorded = session.scalars(select(Household).where(Household.recorded_at.is_not(None)))
        # Registered at 1; who moved in was told of at 2.
        assert {each.sequence for each in recorded} == {2}


def test_people_are_added_to_a_household_that_is_there(households, engine):
    head = an_id_number()
    households.run(register(row("b1", head="")))

    moved = households.run(register(row("b1", id_number=head)))
    grown = households.run(register(row("b1", id_number=head, members="王小明 子女")))

    assert (counts(moved), counts(grown)) == ((0, 1, 0, 0), (0, 1, 0, 0))
    assert [relation for relation, *_ in lives_at(engine, "b1")] == ["head", "child"]


def test_what_is_wrong_with_people_is_told_by_the_column_that_names_them(households, engine):
    taken = a_phone()
    households.run(register(row("c0", head="甲", phone=taken)))

    found = households.run(
        register(
            row("c1", phone="12"),
            row("c2", head="", phone=a_phone()),
            row("c3", head="乙", phone=taken),
            row("c4", members="李梅 配偶 13"),
            row("c5", members="李梅 配偶 子女"),
            row("c6", members=f"李梅 {taken}"),
            row("c7", members="李梅 户主"),
            row("c8", head="丙", id_number="34060319800101123X"),
            row("c9", members="；"),
        )
    )

    assert faults(found) == [
        (2, "head_phone", "invalid_value"),
        (3, "head", "required"),
        (4, "head", "resident_exists"),
        (5, "members", "invalid_value"),
        (6, "members", "invalid_value"),
        (7, "members", "resident_exists"),
        (8, "members", "head_exists"),
        (9, "head_id_number", "invalid_value"),
    ]
    assert counts(found) == (1, 0, 0, 8)
    with Session(engine) as session:
        doors = [each["door"] for each in World(session).households(limit=200)["items"]]
    assert not {f"c{number}" for number in range(1, 9)} & set(doors)


def test_a_dry_run_of_a_register_leaves_nothing_behind(households, engine):
    file = register(row("d1", members="李梅 配偶"), row("d2", phone="1"))

    dry = households.run(file, dry_run=True)

    assert counts(dry) == (1, 0, 0, 1)
    with Session(engine) as session:
        doors = [each["door"] for each in World(session).households(limit=200)["items"]]
    assert not {"d1", "d2"} & set(doors)
    assert counts(households.run(file)) == (1, 0, 0, 1)


def test_a_closed_household_stays_closed_and_nobody_moves_in(households, engine):
    file = register(row("e1", head=""))
    households.run(file)
    with Session(engine) as session, session.begin():
        world = World(session)
        (mine,) = [each for each in world.households(limit=200)["items"] if each["door"] == "e1"]
        world.close_household(mine["id"])

    assert counts(households.run(register(row("e1")))) == (0, 0, 1, 0)
    with Session(engine) as session:
        stays = select(Member).where(Member.household == mine["id"])
        assert session.scalars(stays).all() == []


def test_a_clerk_brings_the_register_of_their_own_place_and_only_with_both_rights(engine):
    clerk = caller(f"area:{COMMUNITY}")
    importing = Importing(engine, "households")
    importing.call = clerk
    whole = register(row("g1", id_number=an_id_number(), members="李梅 配偶"), row("g2"))

    found = importing.run(whole, call=clerk)

    assert counts(found) == (2, 0, 0, 0), found["errors"]
    assert [relation for relation, *_ in lives_at(engine, "g1")] == ["head", "spouse"]
    counting = caller(f"area:{COMMUNITY}", "households.read", "households.write", "residents.read")
    importing.call = counting
    refused = importing.run(register(row("g3"), row("g4", head="")), call=counting)
    assert faults(refused) == [(2, None, "forbidden")]
    assert counts(refused) == (1, 0, 0, 1)


def test_a_register_takes_few_statements(households, engine):
    rows = [
        row(f"f{number}", id_number=an_id_number(), members=f"李梅 配偶 {an_id_number()}")
        for number in range(50)
    ]
    sent = []
    event.listen(engine, "before_cursor_execute", lambda *told: sent.append(told[2]))

    found = households.run(register(*rows))

    assert counts(found) == (50, 0, 0, 0), found["errors"]
    assert len(sent) < 60


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("李梅", [{"name": "李梅"}]),
        ("李梅(配偶)，王小明/子女", [("李梅", "配偶"), ("王小明", "子女")]),
        ("配偶：李梅", [("李梅", "配偶")]),
        ("Wang Xiaohong child", [("Wang Xiaohong", "child")]),
        (" ； ;", []),
    ],
)
def test_members_are_read_as_registers_write_them(cell, told):
    found = member_cells.named(Row(2, {"area": BUILDING, "door": "1", "members": cell}))

    expected = [
        each if isinstance(each, dict) else dict(zip(("name", "relation"), each, strict=True))
        for each in told
    ]
    shared = {"area": BUILDING, "door": "1"}
    assert [each.row.cells for each in found] == [{**shared, **each} for each in expected]
