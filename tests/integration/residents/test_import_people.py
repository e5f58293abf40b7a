"""Files of residents and households in a real database."""

from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.residents.models import Household, Member, Resident
from services.residents.personal_models import AuditEntry, AuditPerson
from tests.integration.residents.importing import Importing, a_database, counts
from tests.integration.residents.world import (
    COMMUNITY,
    World,
    a_phone,
    an_id_number,
    caller,
)

BUILDING = f"{COMMUNITY}.e1.g1.b1"


@pytest.fixture(scope="module")
def engine(postgres):
    with a_database(postgres, ("e1", "e1.g1", "e1.g1.b1", "e1.g2", "e1.g2.b2")) as engine:
        yield engine


@pytest.fixture
def residents(engine):
    return Importing(engine, "residents")


@pytest.fixture
def households(engine):
    return Importing(engine, "households")


def number_of(engine, model):
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(model))


def people(*rows):
    return "\n".join(["姓名,手机号,身份证号,楼栋代码,地址", *(",".join(row) for row in rows)])


def test_residents_are_registered_once_with_and_without_numbers(residents, engine):
    phone, id_number = a_phone(), an_id_number()
    file = people(
        ("王小明", phone, id_number, BUILDING, "101"),
        ("王小红", "", "", BUILDING, "101"),
        ("李四", f"+86 {a_phone()}", "", "", ""),
    )
    before = number_of(engine, Resident)

    first, second = residents.run(file), residents.run(file)

    assert counts(first) == (3, 0, 0, 0), first["errors"]
    assert counts(second) == (0, 0, 3, 0), second["errors"]
    assert number_of(engine, Resident) == before + 3
    with Session(engine) as session:
        found = World(session).find(phone=phone)["items"]
    assert [(each["name"], each["area"]) for each in found] == [("王**", BUILDING)]


def test_who_was_erased_is_nobody_any_more(residents, engine):
    id_number = an_id_number()
    file = people(("王小明", "", id_number, BUILDING, ""), ("无名", "", "", BUILDING, "9"))
    residents.run(file)
    with Session(engine) as session, session.begin():
        world = World(session)
        erased = [
            world.find(**by)["items"][0]["id"]
            for by in ({"id_number": id_number}, {"name": "无名"})
        ]
        for person in erased:
            world.erase(person)

    again = residents.run(file)

    assert counts(again) == (2, 0, 0, 0)
    with Session(engine) as session:
        (listed,) = World(session).find(id_number=id_number)["items"]
    assert listed["id"] not in erased


def test_what_is_said_of_a_known_person_is_amended_and_what_is_not_stays(residents, engine):
    phone, id_number = a_phone(), an_id_number()
    residents.run(people(("王小明", phone, id_number, BUILDING, "101")))

    amended = residents.run(people(("王小明", "", id_number, "", "202")))

    assert counts(amended) == (0, 1, 0, 0)
    with Session(engine) as session:
        world = World(session)
        (listed,) = world.find(phone=phone)["items"]
        assert world.resident(listed["id"])["address"] == "202"
        assert listed["area"] == BUILDING


def test_who_is_known_by_signing_in_is_completed(residents, engine):
    phone = a_phone()
    with Session(engine) as session, session.begin():
        known = World(session).ensure(phone)

    found = residents.run(people(("王小明", phone, "", BUILDING, "")))

    assert counts(found) == (1, 0, 0, 0)
    with Session(engine) as session:
        (listed,) = World(session).find(phone=phone)["items"]
    assert (listed["id"], listed["name"]) == (known, "王**")


def test_a_phone_that_a_family_shares_does_not_make_one_person_of_two(residents, engine):
    phone = a_phone()
    residents.run(people(("王小明", phone, an_id_number(), BUILDING, "")))

    other_name = residents.run(people(("王小红", phone, "", BUILDING, "")))
    other_number = residents.run(people(("王小明", phone, an_id_number(), BUILDING, "")))
    in_one_file = residents.run(
        people(("甲", "13900000001", "", "", ""), ("乙", "13900000001", "", "", ""))
    )

    for found in (other_name, other_number):
        assert [each["code"] for each in found["errors"]] == ["resident_exists"]
    assert [(each["row"], each["code"]) for each in in_one_file["errors"]] == [(3, "repeated_row")]


def test_bad_values_are_told_by_column_and_leave_no_one_behind(residents, engine):
    before = number_of(engine, Resident)
    found = residents.run(
        people(
            ("", a_phone(), "", "", ""),
            ("王", "12", "34060319800101123X", "34", "x"),
            ("王", "", "3.40603E+17", f"{COMMUNITY}.e9", ""),
            ("王", a_phone(), "", f"{COMMUNITY}.e9", ""),
        )
    )

    assert [(each["row"], each["column"], each["code"]) for each in found["errors"]] == [
        (2, "name", "required"),
        (3, "area", "invalid_value"),
        (3, "id_number", "invalid_value"),
        (3, "phone", "invalid_value"),
        (4, "id_number", "digits_lost"),
        (5, "area", "unknown_area"),
    ]
    assert number_of(engine, Resident) == before


def test_a_clerk_imports_into_their_own_place_only_and_each_refusal_is_audited(engine):
    clerk = caller(f"area:{COMMUNITY}.e1.g2")
    importing = Importing(engine, "residents")
    importing.call = clerk
    inside = ("内", a_phone(), "", f"{COMMUNITY}.e1.g2.b2", "")
    outside = ("外", a_phone(), "", BUILDING, "")

    found = importing.run(people(inside, outside), call=clerk)

    assert counts(found) == (1, 0, 0, 1)
    assert found["errors"] == [{"row": 3, "column": None, "code": "forbidden"}]
    with Session(engine) as session:
        entries = session.execute(
            select(AuditEntry.action, AuditEntry.outcome)
            .where(AuditEntry.actor == clerk.actor.id)
            .order_by(AuditEntry.id)
        ).all()
    assert [tuple(entry) for entry in entries] == [
        ("register", "done"),
        ("residents.write", "refused"),
    ]


def test_each_person_s_change_is_in_their_audit_and_a_dry_run_is_as_a_read(residents, engine):
    id_number = an_id_number()
    residents.run(people(("王小明", "", id_number, BUILDING, "101")))
    changed = people(("王小明", "", id_number, BUILDING, "202"))

    assert counts(residents.run(changed, dry_run=True)) == (0, 1, 0, 0)
    assert counts(residents.run(changed)) == (0, 1, 0, 0)

    with Session(engine) as session:
        (listed,) = World(session).find(id_number=id_number)["items"]
        actions = session.scalars(
            select(AuditEntry.action)
            .join(AuditPerson, AuditPerson.entry == AuditEntry.id)
            .where(AuditPerson.person == listed["id"])
            .order_by(AuditEntry.id)
        ).all()
    assert actions[:5] == ["register", "list", "read", "list", "change"]


def test_a_dry_run_of_residents_leaves_no_one_behind(residents, engine):
    before = number_of(engine, Resident)

    found = residents.run(people(("王小明", a_phone(), "", BUILDING, "")), dry_run=True)

    assert counts(found) == (1, 0, 0, 0)
    assert number_of(engine, Resident) == before


def test_a_census_of_dwellings_is_imported_once(households, engine):
    file = "楼栋代码,门牌号,产权,起始日期\n" + "".join(
        f"{BUILDING},{room},自有,2026-01-01\n" for room in range(101, 131)
    )

    first, second = households.run(file), households.run(file)

    assert counts(first) == (30, 0, 0, 0), first["errors"]
    assert counts(second) == (0, 0, 30, 0)
    with Session(engine) as session:
        found = session.scalars(select(Household).where(Household.building == BUILDING)).all()
    assert {each.grid for each in found} == {f"{COMMUNITY}.e1.g1"}
    assert {each.tenure for each in found} == {"owned"}


def test_a_tenure_is_amended_and_a_closed_household_stays_closed(households, engine):
    def row(tenure):
        return f"area,door,tenure,from\n{BUILDING},9-01,{tenure},2026-01-01\n"

    assert counts(households.run(row("owned"))) == (1, 0, 0, 0)
    assert counts(households.run(row("租住"))) == (0, 1, 0, 0)
    with Session(engine) as session, session.begin():
        world = World(session)
        mine = session.scalars(select(Household).where(Household.tenure == "rented")).one()
        world.close_household(str(mine.id))

    assert counts(households.run(row("owned"))) == (0, 0, 1, 0)


def test_households_that_do_not_fit_say_why(households):
    found = households.run(
        "area,door,tenure,from\n"
        f"{COMMUNITY}.e1.g1,1,,\n{BUILDING},,,\n{BUILDING},8-1,palace,\n{BUILDING},8-2,,2999-01-01\n"
    )

    assert [(each["row"], each["column"], each["code"]) for each in found["errors"]] == [
        (2, "area", "no_building"),
        (3, "door", "required"),
        (4, "tenure", "invalid_value"),
        (5, "from", "in_the_future"),
    ]


def members(*rows):
    heading = "姓名,身份证号,楼栋代码,门牌号,与户主关系,入住日期"
    return "\n".join([heading, *(",".join(row) for row in rows)])


def test_people_move_into_the_household_at_their_door_once(households, residents, engine):
    households.run(f"area,door\n{BUILDING},7-1\n{BUILDING},7-2\n")
    head, child = an_id_number(), an_id_number()
    file = members(
        ("王小明", head, BUILDING, "7-1", "户主", "2026-01-01"),
        ("王小红", child, BUILDING, "7-1", "子女", ""),
    )

    first, second = residents.run(file), residents.run(file)
    third = residents.run(members(("王小红", child, BUILDING, "7-2", "户主", "2026-11-20")))

    assert counts(first) == (2, 0, 0, 0), first["errors"]
    assert counts(second) == (0, 0, 2, 0), second["errors"]
    assert counts(third) == (0, 1, 0, 0), third["errors"]
    with Session(engine) as session:
        stays = session.execute(
            select(Member.relation, Member.starts, Member.ends).order_by(Member.id)
        ).all()
    assert [tuple(stay) for stay in stays[:1]] == [("head", date(2026, 1, 1), None)]
    assert stays[1].relation == "child"
    assert stays[1].starts == date(2026, 11, 1)
    assert len(stays) == 3


def test_who_has_moved_out_stays_away_and_a_relation_is_corrected(households, residents, engine):
    households.run(f"area,door\n{BUILDING},6-1\n")
    one, other = an_id_number(), an_id_number()
    rows = [
        ("甲", one, BUILDING, "6-1", "其他", "2026-01-01"),
        ("乙", other, BUILDING, "6-1", "其他", "2026-01-01"),
    ]
    residents.run(members(*rows))
    with Session(engine) as session, session.begin():
        world = World(session)
        (person,) = world.find(id_number=one)["items"]
        stay = session.scalars(select(Member).where(Member.resident == person["id"])).one()
        stay.ends = date(2026, 3, 1)

    again = residents.run(members(rows[0], (*rows[1][:4], "户主", "2026-01-01")))

    assert counts(again) == (0, 1, 1, 0), again["errors"]


def test_a_door_that_nobody_registered_says_so(residents, engine):
    before = number_of(engine, Resident)
    found = residents.run(
        members(
            ("甲", an_id_number(), BUILDING, "no such door", "", ""),
            ("乙", an_id_number(), BUILDING, "", "户主", ""),
            ("丙", an_id_number(), BUILDING, "no such door", "邻居", ""),
        )
    )

    assert [(each["row"], each["column"], each["code"]) for each in found["errors"]] == [
        (2, "door", "unknown_household"),
        (3, "door", "required"),
        (4, "door", "unknown_household"),
    ]
    assert number_of(engine, Resident) == before


def test_nothing_of_a_file_of_residents_lies_in_the_clear(residents, engine):
    phone, id_number = a_phone(), an_id_number()
    begun = residents.begin(people(("欧阳金丝雀", phone, id_number, BUILDING, "")).encode())
    tables = ("imports", "import_parts", "import_faults", "outbox", "residents", "audit")

    def seen():
        with Session(engine) as session:
            rows = [
                str(row)
                for table in tables
                for row in session.connection().exec_driver_sql(f"SELECT t::text FROM {table} t")
            ]
        return "\n".join(rows)

    waiting = seen()
    residents.importer.work()
    done = seen()

    assert residents.get(begun["id"])["added"] == 1
    for canary in ("欧阳金丝雀", phone, id_number):
        for spelling in (canary, canary.encode().hex()):
            assert spelling not in waiting + done


def test_a_file_gives_no_colleague_another_phone(residents, engine):
    number, mine = an_id_number(), a_phone()
    with Session(engine) as session, session.begin():
        world = World(session)
        person = world.register("周敏", id_number=number, phone=a_phone(), area=BUILDING)["id"]
        world.start_duty(person, "secretary", area=COMMUNITY)
        before = world.resident(person)
    clerk = caller(f"area:{COMMUNITY}")

    found = residents.run(people(("周敏", mine, number, BUILDING, "")), call=clerk)

    found = residents.get(found["id"], clerk)
    assert counts(found) == (0, 0, 0, 1)
    assert found["errors"] == [{"row": 2, "column": None, "code": "numbers_of_staff"}]
    with Session(engine) as session:
        assert World(session).resident(person) == before
        refused = session.scalars(
            select(AuditEntry).where(
                AuditEntry.outcome == "refused", AuditEntry.actor == clerk.actor.id
            )
        ).one()
    assert (refused.action, str(refused.subject)) == ("residents.write", person)
