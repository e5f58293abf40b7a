"""Behind every query's own conditions stands the wall: what was forgotten there is not shown, and
what belongs to another community is not written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, event, insert, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from chassis import migrate
from chassis.call import Call, system_call
from chassis.errors import NotFound
from chassis.ids import new_id
from chassis.walls import EVERYTHING
from services.residents import area_codes, audit, household_queries, queries, wall
from services.residents.models import Duty, Household, Member, Resident, ResidentKey
from services.residents.personal_models import AuditEntry, AuditPerson
from services.residents.reach import Hidden, Subject
from tests.integration import walls
from tests.integration.residents.importing import Importing
from tests.integration.residents.world import COMMUNITY, OPEN, VAULT, World, a_phone, caller

WITHOUT = {
    "alembic_version": "which migrations ran",
    "areas": "the places everybody may know of",
    "departments": "the departments everybody may know of",
    "inbox": "ids of events",
    "official_areas": "the places of the country, public",
    "outbox": "events on their way, which hold no personal data",
    "withdrawn_phones": "digests of numbers that are nobody's",
}
OTHER = "340603008003"
AREA = f"{COMMUNITY}.e1.g1.b1"
NOBODYS = {"imports", "import_parts", "import_faults"}
"""What is its owner's and no community's."""


@dataclass(frozen=True)
class There:
    """The people of the one community that has any: the head of a household, with all that hangs
    on them.
    """

    head: str
    household: str


@pytest.fixture(scope="module")
def application(postgres: Any) -> Iterator[Engine]:
    """The application's engine, on a database where every table has a row of one community's."""
    urls = postgres.create_service_database("residents")
    migrate.upgrade("services.residents", urls["owner_url"], "linli_residents")
    engine = create_engine(urls["app_url"], pool_size=1)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def there(application: Engine) -> There:
    engine = create_engine(application.url, connect_args=OPEN)
    with Session(engine) as session, session.begin():
        world = World(session)
        world.add_community("e1", "e1.g1", "e1.g1.b1")
        world.add_area(OTHER)
        head = world.register(phone=a_phone(), area=AREA)["id"]
        household = world.register_household(AREA, "101", head=head)["id"]
        world.give_care_tag(head, "elder_alone")
        world.consent(head)
        world.amend(head, phone=a_phone())
        world.start_duty(head, "building_chief", area=AREA)
    importing = Importing(engine, "residents")
    importing.run("姓名,区域代码\n,\n")
    importing.begin("姓名\n王小明\n".encode())
    engine.dispose()
    return There(head, household)


@pytest.fixture
def walled(application: Engine) -> list[str]:
    """The tables behind the wall."""
    return [name for name, has_wall in walls.tables(application).items() if has_wall]


def clerk(community: str = COMMUNITY) -> Call:
    return caller(f"area:{community}")


def counts(engine: Engine, call: Call, tables: list[str]) -> dict[str, int]:
    return walls.counts(engine, wall.settings(call), dict.fromkeys(tables))


def test_every_table_has_a_wall_or_a_reason(application: Engine) -> None:
    walls.check_every_table(application, WITHOUT)
    walls.check_the_user(application)


def test_who_was_told_nothing_sees_nothing(
    application: Engine, there: There, walled: list[str]
) -> None:
    seen = walls.counts(application, walls.NOTHING, dict.fromkeys(walled))

    assert seen == dict.fromkeys(walled, 0)
    everywhere = walls.counts(application, EVERYTHING, dict.fromkeys(walled))
    assert all(everywhere.values()), f"a table here has no row that could be hidden: {everywhere}"


@pytest.mark.parametrize(
    "stranger",
    [
        Call(),
        caller("own"),
        clerk(OTHER),
        caller(f"area:{OTHER}.e1.g1"),
        caller("department:water"),
        caller("any", "areas.read", "file"),
        caller(f"area:{COMMUNITY}", "read", "events.read"),
    ],
    ids=[
        "nobody", "a neighbour", "a clerk elsewhere", "a grid worker elsewhere", "a department",
        "a resident", "a building chief, who has to do with tickets only",
    ],
)  # fmt: skip
def test_a_query_that_forgot_its_condition_shows_strangers_nothing(
    application: Engine, there: There, walled: list[str], stranger: Call
) -> None:
    assert counts(application, stranger, walled) == dict.fromkeys(walled, 0)


@pytest.mark.parametrize(
    "insider",
    [clerk(), caller(f"area:{AREA}"), clerk("340603000000"), caller(), system_call("residents")],
    ids=["a clerk", "a building's clerk", "the district", "an administrator", "the system"],
)
def test_whom_it_concerns_is_not_kept_out(
    application: Engine, there: There, walled: list[str], insider: Call
) -> None:
    seen = counts(application, insider, sorted({*walled} - NOBODYS))

    assert all(seen.values()), seen


def test_who_may_not_see_care_tags_sees_none_of_their_own_community_s(
    application: Engine, there: There
) -> None:
    plain = caller(f"area:{COMMUNITY}", "residents.read", "households.read")

    assert counts(application, plain, ["care_tags", "residents"]) == {
        "care_tags": 0,
        "residents": 1,
    }


def test_a_person_sees_what_is_theirs(application: Engine, there: There, walled: list[str]) -> None:
    seen = counts(application, caller("own", person=there.head), walled)

    unseen = {table for table, rows in seen.items() if not rows}
    # Their own audit is opened by name: see below.
    assert unseen == {"audit", "audit_people", *NOBODYS}


def test_the_audit_of_a_person_is_opened_for_that_person_only(
    application: Engine, there: There
) -> None:
    with walls.seeing(application, {"about": there.head}) as connection:
        links = connection.execute(text("SELECT DISTINCT person FROM audit_people")).scalars().all()
        unlinked = (
            "SELECT count(*) FROM audit WHERE NOT EXISTS (SELECT FROM audit_people"
            f" WHERE entry = audit.id AND person = '{there.head}')"
        )
        assert [str(person) for person in links] == [there.head]
        assert connection.scalar(text("SELECT count(*) FROM audit")) > 0
        assert connection.scalar(text(unlinked)) == 0


def test_strangers_neither_change_nor_delete_what_they_do_not_see(
    application: Engine, there: There, walled: list[str]
) -> None:
    append_only = {"audit", "audit_people"}
    with walls.seeing(application, wall.settings(clerk(OTHER))) as connection:
        for table in {*walled} - append_only:
            assert connection.execute(text(f"DELETE FROM {table}")).rowcount == 0
        for table in ("residents", "households", "duties", "household_members", "care_tags"):
            assert connection.execute(text(f"UPDATE {table} SET sequence = 9")).rowcount == 0
        for table in ("resident_keys", "imports"):
            assert connection.execute(text(f"UPDATE {table} SET key_id = 'k9'")).rowcount == 0


def _a_resident(there: There) -> Any:
    columns = {"tree_key": area_codes.tree_key(AREA), "locale": "zh-CN", "sequence": 1}
    moments = {"registered_at": "now()", "used_at": "now()"}
    return insert(Resident).values(id=new_id(), area=AREA, **columns, **moments)


def _a_household(there: There) -> Any:
    place = {"area": AREA, "tree_key": area_codes.tree_key(AREA), "building": AREA}
    sealed = {"door": b"1", "door_index": b"1", "key_id": "k1", "wrapped": b"1"}
    days = {"starts": "2026-11-01", "registered_at": "now()"}
    return insert(Household).values(
        id=new_id(), **place, **sealed, **days, tenure="owned", sequence=1
    )


def _a_member(there: There) -> Any:
    stay = {"relation": "other", "registered": False, "starts": "2020-01-01", "ends": "2020-01-02"}
    people = {"household": there.household, "resident": there.head}
    return insert(Member).values(id=new_id(), **people, **stay, sequence=1)


def _a_key(there: There) -> Any:
    return insert(ResidentKey).values(resident=there.head, key_id="k9", wrapped=b"1")


def _a_duty(there: There) -> Any:
    where = {"role": "clerk", "area": COMMUNITY, "tree_key": area_codes.tree_key(COMMUNITY)}
    days = {"starts": "2026-11-01", "created_at": "now()"}
    return insert(Duty).values(id=new_id(), person=there.head, **where, **days, sequence=1)


def _a_care_tag(there: There) -> Any:
    return text(
        "INSERT INTO care_tags (id, resident, tag, starts, sequence)"
        f" VALUES (gen_random_uuid(), '{there.head}', 'disabled', now(), 1)"
    )


def _a_consent(there: There) -> Any:
    return text(
        "INSERT INTO consents (id, person, purpose, given_at)"
        f" VALUES (gen_random_uuid(), '{there.head}', 'other', now())"
    )


WRITES = (_a_resident, _a_household, _a_member, _a_key, _a_duty, _a_care_tag, _a_consent)


@pytest.mark.parametrize("write", WRITES)
def test_what_belongs_to_another_community_is_not_added(
    application: Engine, there: There, write: Any
) -> None:
    with (
        walls.seeing(application, wall.settings(clerk(OTHER))) as connection,
        pytest.raises(ProgrammingError, match="violates row-level security policy"),
    ):
        connection.execute(write(there))


@pytest.mark.parametrize("write", [write for write in WRITES if write is not _a_key])
def test_what_belongs_to_one_s_own_is(application: Engine, there: There, write: Any) -> None:
    with walls.seeing(application, wall.settings(clerk())) as connection:
        assert connection.execute(write(there)).rowcount == 1


@pytest.mark.parametrize("table", ["households", "duties"])
def test_nothing_is_moved_into_another_community(
    application: Engine, there: There, table: str
) -> None:
    moved = {"area": OTHER, "key": area_codes.tree_key(OTHER)}
    with (
        walls.seeing(application, wall.settings(clerk())) as connection,
        pytest.raises(ProgrammingError, match="violates row-level security policy"),
    ):
        connection.execute(text(f"UPDATE {table} SET area = :area, tree_key = :key"), moved)


def test_where_somebody_unseen_is_can_be_said_and_nothing_else(
    application: Engine, there: There
) -> None:
    """A refusal is audited where the person is whom it is about."""
    call = clerk(OTHER)
    with (
        walls.seeing(application, wall.settings(call)) as connection,
        Session(connection) as session,
    ):
        for read, thing in (
            (queries.resident, there.head),
            (household_queries.household, there.household),
        ):
            with pytest.raises(Hidden) as refusal:
                read(session, call, VAULT, UUID(thing))
            assert refusal.value.subject is not None
            assert (str(refusal.value.subject.id), refusal.value.subject.area) == (thing, AREA)
        with pytest.raises(NotFound) as unknown:
            queries.resident(session, call, VAULT, new_id())
        assert not isinstance(unknown.value, Hidden)
        assert session.query(Resident).count() == 0


def test_an_entry_is_added_where_its_reader_is_not(application: Engine, there: There) -> None:
    call = clerk(OTHER)
    refusal = Hidden("residents.read", Subject("resident", new_id(), AREA))
    with (
        walls.seeing(application, wall.settings(call)) as connection,
        Session(connection) as session,
    ):
        audit.refused(session, call, refusal)
        assert session.query(AuditEntry).count() == 0
        assert session.query(AuditPerson).count() == 0


def test_no_plan_outlives_the_transaction_it_was_made_for(
    application: Engine, there: There
) -> None:
    walls.check_no_plan_is_kept(application, "residents")
    walls.check_no_plan_is_kept(application, "household_members")


def test_what_is_kept_in_a_function_knows_nobody_s_view(application: Engine, there: There) -> None:
    """PostgreSQL keeps the plans of statements inside of functions, from the sixth time on for
    any caller. One connection, one resident after another: each sees their own home.
    """
    for _ in range(12):
        mine = counts(application, caller("own", person=there.head), ["households", "residents"])
        others = counts(application, caller("own"), ["households", "residents"])
        assert (mine, others) == (
            {"households": 1, "residents": 1},
            {"households": 0, "residents": 0},
        )


def test_a_wall_costs_one_statement(application: Engine, there: There) -> None:
    statements: list[str] = []
    event.listen(application, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts(application, clerk(), ["residents"])

    assert len(statements) == 2
