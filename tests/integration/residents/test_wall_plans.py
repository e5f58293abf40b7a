"""Behind the wall reads keep their indexes: among the people of four communities, a page of one's
own touches few pages of the database.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session

from chassis import migrate, walls
from chassis.call import Call
from services.residents import (
    audit_trail,
    coverage,
    household_queries,
    household_schemas,
    personal_schemas,
    queries,
    schemas,
    wall,
)
from services.residents.care import queries as care
from services.residents.care import schemas as care_schemas
from services.residents.commands import consents
from services.residents.vault import SealBroken
from tests.integration.residents.town import a_town, its_people
from tests.integration.residents.world import COMMUNITY, VAULT, a_phone, caller

# The town's people are where their household is, with a key, a consent and an entry of the audit
# each; three neighbouring communities have as many.
_PEOPLE = f"""
    UPDATE residents SET area = h.area, tree_key = h.tree_key,
            name_index = sha256((residents.id::text)::bytea),
            phone_index = sha256(('p' || residents.id::text)::bytea)
        FROM household_members m JOIN households h ON h.id = m.household
        WHERE m.resident = residents.id;
    INSERT INTO areas (code, tree_key, level, parent, name, names, sequence, created_at)
        SELECT '34060300800' || n, '340603.008.00' || n || '.', 'community', '340603008000', '',
            '{{}}', 1, now() FROM generate_series(3, 5) n;
    INSERT INTO residents (id, area, tree_key, name_index, phone_index, locale, sequence,
            registered_at, used_at)
        SELECT gen_random_uuid(), '34060300800' || n, '340603.008.00' || n || '.',
            sha256((n || r.id::text)::bytea), sha256(('p' || n || r.id::text)::bytea),
            'zh-CN', 1, now(), now()
        FROM residents r CROSS JOIN generate_series(3, 5) n WHERE r.area LIKE '{COMMUNITY}%';
    INSERT INTO resident_keys SELECT id, 'k1', 'x' FROM residents;
    INSERT INTO consents (id, person, purpose, given_at)
        SELECT gen_random_uuid(), id, 'notices', now() FROM residents;
    INSERT INTO care_tags (id, resident, tag, starts, sequence)
        SELECT gen_random_uuid(), id, 'disabled', now(), 1 FROM residents
        WHERE left(id::text, 1) IN ('0', '1') OR random() < 0.05;
    INSERT INTO audit (id, at, actor_kind, action, kind, subject, people, fields, found_by,
            community, request_id, outcome)
        SELECT gen_random_uuid(), now() - random() * interval '1 year', 'person', 'read',
            'resident', id, 1, '{{name}}', '{{}}', left(area, 12), '', 'done' FROM residents;
    INSERT INTO audit_people (person, at, entry) SELECT subject, at, id FROM audit;
    INSERT INTO duties (id, person, role, area, tree_key, starts, sequence, created_at)
        SELECT gen_random_uuid(), id, CASE WHEN random() < 0.1 THEN 'anchor_household' ELSE 'clerk'
            END, area, tree_key, now(), 1, now() FROM residents WHERE random() < 0.1;
"""


@dataclass(frozen=True)
class Town:
    """The application's engine, and somebody who lives in the first household."""

    engine: Engine
    head: UUID
    household: UUID
    grid: str


@pytest.fixture(scope="module")
def town(postgres: Any) -> Iterator[Town]:
    urls = postgres.create_service_database("residents")
    migrate.upgrade("services.residents", urls["owner_url"], "linli_residents")
    owner = create_engine(urls["owner_url"])
    with Session(owner) as session, session.begin():
        buildings = a_town(session, buildings=100, doors=40, past=40)
        its_people(session, past=2_000)
        session.execute(text(_PEOPLE))
        first = session.execute(
            text("SELECT resident, household FROM household_members WHERE ends IS NULL LIMIT 1")
        ).one()
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    owner.dispose()
    engine = create_engine(urls["app_url"])
    yield Town(engine, first.resident, first.household, buildings[0].rpartition(".")[0])
    engine.dispose()


def plan(town: Town, call: Call, read: Callable[[Session], Any]) -> str:
    """How PostgreSQL ran the last SELECT of what a call reads, behind its wall."""
    seen = wall.settings(replace(call, command_id=None))
    statements: list[tuple[str, Any]] = []
    with walls.WalledSession(town.engine, info={"wall": seen}) as session:
        connection = session.connection()
        heard = ("before_cursor_execute", lambda *args: statements.append(args[2:4]))
        event.listen(connection, *heard)
        with suppress(SealBroken):  # Nobody's key here is a real one.
            read(session)
        event.remove(connection, *heard)
        reads = [each for each in statements if each[0].startswith("SELECT")]
        statement, parameters = [each for each in reads if "set_config" not in each[0]][-1]
        cursor: Any = connection.connection.cursor()
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", parameters)
        return "\n".join(line for (line,) in cursor)


def pages(found: str) -> int:
    """The pages that a plan touched to give its rows."""
    first = re.search(r"Buffers: shared (.*)", found)
    assert first is not None
    return sum(int(number) for number in re.findall(r"(?:hit|read)=(\d+)", first[1]))


def _residents(**wanted: Any) -> Callable[[Town, Call], Callable[[Session], Any]]:
    loaded = schemas.FindResidents().load(wanted)
    return lambda _town, call: lambda session: queries.residents(session, call, VAULT, loaded)


def _households(**wanted: Any) -> Callable[[Town, Call], Callable[[Session], Any]]:
    loaded = household_schemas.ListHouseholds().load(wanted)
    return lambda _town, call: (
        lambda session: household_queries.households(session, call, VAULT, loaded)
    )


def _coverage(_town: Town, call: Call) -> Callable[[Session], Any]:
    wanted = household_schemas.Coverage().load(
        {"area": COMMUNITY, "level": "building", "limit": 200}
    )
    return lambda session: coverage.coverage(session, call, wanted)


def _members(**more: Any) -> Callable[[Town, Call], Callable[[Session], Any]]:
    def read(town: Town, call: Call) -> Callable[[Session], Any]:
        asked = {"household": str(town.household), **more}
        wanted = household_schemas.HouseholdMembers().load(asked)
        return lambda session: household_queries.members(session, call, VAULT, wanted)

    return read


def _homes(town: Town, call: Call) -> Callable[[Session], Any]:
    wanted = household_schemas.ResidentHouseholds().load({"id": str(town.head)})
    return lambda session: household_queries.homes(session, call, wanted)


def _care_tags(_town: Town, call: Call) -> Callable[[Session], Any]:
    wanted = care_schemas.ListCareTags().load({"within": COMMUNITY})
    return lambda session: care.in_area(session, call, wanted)


def _consents(town: Town, call: Call) -> Callable[[Session], Any]:
    wanted = personal_schemas.Consents().load({"id": str(town.head)})
    return lambda session: consents.history(session, call, wanted)


def _audit(_town: Town, call: Call) -> Callable[[Session], Any]:
    wanted = personal_schemas.ListAudit().load({})
    return lambda session: audit_trail.entries(session, call, wanted)


def _audit_of(town: Town, call: Call) -> Callable[[Session], Any]:
    wanted = personal_schemas.ResidentAudit().load({"id": str(town.head)})
    return lambda session: audit_trail.of_resident(session, call, wanted)


READS = {
    "people by place": (_residents(within=COMMUNITY), "residents_tree_key_id"),
    "people of a phone": (_residents(phone=a_phone()), "residents_phone_index_key"),
    "people of a name": (_residents(name="王小明"), "residents_name_index"),
    "households by place": (_households(within=COMMUNITY), "households_open"),
    "dwellings": (_coverage, "Index Only Scan using households_open"),
    "who lives there": (_members(), "household_members_present"),
    "who lived there": (_members(past=True), "household_members_past"),
    "where somebody lives": (_homes, "household_members_homes"),
    "care tags": (_care_tags, "care_tags"),
    "consents": (_consents, "consents_person_id"),
    "the audit": (_audit, "audit_community_at_id"),
    "somebody's audit": (_audit_of, "audit_people_pkey"),
}
LARGE = (
    "residents",
    "households",
    "household_members",
    "audit",
    "audit_people",
    "resident_keys",
    "duties",
)


@pytest.mark.parametrize("name", READS)
def test_a_clerk_s_read_keeps_its_index(town: Town, name: str) -> None:
    read, index = READS[name]
    call = caller(f"area:{COMMUNITY}")

    found = plan(town, call, read(town, call))
    assert index in found
    assert not any(re.search(rf"Seq Scan on {table}\b", found) for table in LARGE), found
    assert pages(found) < 2_000, found
