"""A batch of rows is written together, and each row still comes out as if it had been alone."""

import threading
from collections.abc import Callable
from contextlib import contextmanager

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from chassis.outbox import outbox
from services.residents.models import Household, Member, ResidentKey
from services.residents.models import Resident as Person
from services.residents.personal_models import AuditEntry, AuditPerson
from tests.integration.residents.importing import Importing, a_database, counts
from tests.integration.residents.world import COMMUNITY, World, a_phone, an_id_number, caller

BUILDING = f"{COMMUNITY}.e1.g1.b1"
OTHER = f"{COMMUNITY}.e1.g2.b2"
HEADINGS = "姓名,手机号,身份证号,楼栋代码,门牌号,与户主关系,入住日期"


@pytest.fixture(scope="module")
def engine(postgres):
    with a_database(postgres, ("e1", "e1.g1", "e1.g1.b1", "e1.g2", "e1.g2.b2")) as engine:
        yield engine


@pytest.fixture
def residents(engine):
    return Importing(engine, "residents")


@pytest.fixture
def doors(engine):
    """Registers households in the building."""
    importing = Importing(engine, "households")
    return lambda *names: importing.run(
        "area,door\n" + "".join(f"{BUILDING},{name}\n" for name in names)
    )


def people(*rows):
    return "\n".join([HEADINGS, *(",".join(row) for row in rows)])


def lives_at(door, relation="其他", name="王小明", number=None):
    return (name, "", number or an_id_number(), BUILDING, door, relation, "2026-01-01")


@contextmanager
def counted(engine):
    """How many statements are sent, as a list with an entry for each."""
    sent = []

    def send(*told: object) -> None:
        sent.append(told[2])

    event.listen(engine, "before_cursor_execute", send)
    yield sent
    event.remove(engine, "before_cursor_execute", send)


def faults(found):
    return [(each["row"], each["column"], each["code"]) for each in found["errors"]]


def test_people_who_are_new_and_rows_without_news_take_less_than_a_statement_each(
    engine, residents, doors
):
    names = [f"a{number}" for number in range(100)]
    with counted(engine) as registering:
        assert counts(doors(*names)) == (100, 0, 0, 0)
    file = people(*(lives_at(name, "户主") for name in names), *(lives_at(name) for name in names))

    with counted(engine) as adding:
        first = residents.run(file)
    with counted(engine) as again:
        second = residents.run(file)

    assert (counts(first), counts(second)) == ((200, 0, 0, 0), (0, 0, 200, 0)), first["errors"]
    assert len(registering) < 60
    # A household is told of when people are first recorded in it: one statement each.
    assert len(adding) < 100 + 80
    assert len(again) < 80


def test_everybody_has_a_key_an_audit_and_events_of_their_own(engine, residents, doors):
    doors("b1")
    numbers = [an_id_number() for _ in range(3)]

    residents.run(people(*(lives_at("b1", number=number) for number in numbers)))

    with Session(engine) as session:
        ids = [World(session).find(id_number=number)["items"][0]["id"] for number in numbers]
        keys = session.scalars(select(ResidentKey.wrapped).where(ResidentKey.resident.in_(ids)))
        assert len({bytes(key) for key in keys}) == 3
        for person in ids:
            told = [
                (each["type"].split(".")[2], int(each["sequence"]))
                for each in World(session).events_of(person)
            ]
            assert told == [("resident_registered", 1), ("resident_moved_in", 2)]
            entries = session.execute(
                select(AuditEntry.action, AuditEntry.kind)
                .join(AuditPerson, AuditPerson.entry == AuditEntry.id)
                .where(AuditPerson.person == person)
                .order_by(AuditEntry.id)
            )
            assert [tuple(entry) for entry in entries][:2] == [
                ("register", "resident"),
                ("change", "household"),
            ]
            assert session.get(Person, person).sequence == 2


def test_a_row_that_fails_does_so_alone(residents, doors, engine):
    doors("c1", "c2")
    shared = a_phone()
    found = residents.run(
        people(
            lives_at("c1", "户主"),
            lives_at("no such door"),
            lives_at("c1", "户主"),
            lives_at("c1", "邻居"),
            (*lives_at("c1")[:6], "2999-01-01"),
            lives_at("c2", "户主"),
            ("甲", shared, "", BUILDING, "", "", ""),
            ("乙", f"+86 {shared}", "", BUILDING, "", "", ""),
            ("丙", "", an_id_number(), f"{COMMUNITY}.e9", "", "", ""),
            lives_at("c2"),
        )
    )

    assert faults(found) == [
        (3, "door", "unknown_household"),
        (4, None, "head_exists"),
        (5, "relation", "invalid_value"),
        (6, "from", "in_the_future"),
        (9, None, "resident_exists"),
        (10, "area", "unknown_area"),
    ]
    assert counts(found) == (4, 0, 0, 6)
    with Session(engine) as session:
        relations = session.execute(
            select(func.count(), Member.relation)
            .join(Household, Household.id == Member.household)
            .where(Household.recorded_at.is_not(None))
            .group_by(Member.relation)
        )
        assert dict(map(reversed, relations))["head"] >= 2


def test_who_comes_after_somebody_who_moves_meets_them(residents, doors):
    doors("d1", "d2")
    moving = an_id_number()
    residents.run(people(lives_at("d1", "户主", number=moving)))

    found = residents.run(
        people(
            (*lives_at("d2", "户主", number=moving)[:6], "2026-02-01"),
            lives_at("d2", "户主"),
        )
    )

    assert counts(found) == (0, 1, 0, 1)
    assert faults(found) == [(3, None, "head_exists")]


def test_who_may_not_write_there_is_refused_though_others_of_the_batch_are_not(engine):
    clerk = caller(f"area:{COMMUNITY}.e1.g2")
    importing = Importing(engine, "residents")
    importing.call = clerk
    inside = [("内", a_phone(), "", OTHER, "", "", "") for _ in range(3)]
    outside = ("外", a_phone(), "", BUILDING, "", "", "")

    found = importing.run(people(inside[0], outside, *inside[1:]), call=clerk)

    assert counts(found) == (3, 0, 0, 1)
    assert faults(found) == [(3, None, "forbidden")]


def test_a_dry_run_of_a_batch_writes_nothing_and_sees_what_it_would_meet(engine, residents, doors):
    doors("e1")
    file = people(lives_at("e1", "户主"), lives_at("e1", "户主"), lives_at("e1"))
    with Session(engine) as session:
        before = [session.scalar(select(func.count()).select_from(t)) for t in (Person, outbox)]

    dry = residents.run(file, dry_run=True)

    with Session(engine) as session:
        after = [session.scalar(select(func.count()).select_from(t)) for t in (Person, outbox)]
    assert after == before
    # Each row is tried by itself: the second head would do without the first.
    assert counts(dry) == (3, 0, 0, 0)
    assert counts(residents.run(file)) == (2, 0, 0, 1)


def test_a_batch_that_meets_somebody_who_came_meanwhile_is_taken_row_by_row(engine, residents):
    """They sign in while it is being planned: it waits for them, and then completes them."""
    phone = a_phone()
    others = [("乙", "", an_id_number(), BUILDING, "", "", "") for _ in range(3)]
    file = people(others[0], ("甲", phone, "", BUILDING, "", "", ""), *others[1:])
    begun = residents.begin(file.encode())
    with Session(engine) as signing_in, signing_in.begin():
        known = World(signing_in).ensure(phone)
        working = threading.Thread(target=residents.importer.work)
        working.start()
        _until(lambda: _waits_for_a_lock(engine))
    working.join(timeout=30)

    found = residents.get(begun["id"])
    assert (found["state"], counts(found)) == ("done", (4, 0, 0, 0)), found["errors"]
    with Session(engine) as session:
        (listed,) = World(session).find(phone=phone)["items"]
    assert (listed["id"], listed["name"]) == (known, "甲**")


def _waits_for_a_lock(engine) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with Session(engine) as session:
        return bool(session.scalar(text(f"{waiting} AND datname = current_database()")))


def _until(true: Callable[[], bool]) -> None:
    waited = threading.Event()
    for _ in range(500):
        if true():
            return
        waited.wait(0.02)
    raise AssertionError("it never came")
