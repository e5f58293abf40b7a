"""What an import does in somebody's name it does behind their wall; what it must know of others, to
tell people and doors apart, it still finds.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.orm import Session

from chassis import migrate
from chassis.ids import new_id
from services.residents.models import Household
from services.residents.personal_models import AuditEntry
from tests.integration.residents.importing import Importing, counts
from tests.integration.residents.world import COMMUNITY, OPEN, World, a_phone, caller

OTHER = "340603008003"


@pytest.fixture(scope="module")
def engine(postgres: Any) -> Iterator[Engine]:
    """Connections that see everything, as the importer's, to two communities."""
    urls = postgres.create_service_database("residents")
    migrate.upgrade("services.residents", urls["owner_url"], "linli_residents")
    engine = create_engine(urls["app_url"], connect_args=OPEN)
    with Session(engine) as session, session.begin():
        world = World(session)
        world.add_community()
        world.add_area(OTHER)
    yield engine
    engine.dispose()


@pytest.fixture
def written(engine: Engine) -> Iterator[dict[str, set[tuple[str, str]]]]:
    """For each kind of write to a table, what it was told that it may see."""
    told: dict[str, set[tuple[str, str]]] = {}

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        write = re.match(r"(INSERT) INTO (\w+)|(UPDATE) (\w+)", statement)
        if write:
            with connection.connection.cursor() as look:
                look.execute(
                    "SELECT current_setting('linli.everything', true),"
                    " coalesce(current_setting('linli.communities', true), '')"
                )
                told.setdefault(" ".join(filter(None, write.groups())), set()).add(look.fetchone())

    event.listen(engine, "before_cursor_execute", note)
    yield told
    event.remove(engine, "before_cursor_execute", note)


def importing(engine: Engine, kind: str, community: str) -> Importing:
    made = Importing(engine, kind)
    made.call = caller(f"area:{community}")
    return made


def run(work: Importing, file: str) -> Any:
    return work.run(file, call=replace(work.call, command_id=str(new_id())))


def test_rows_are_written_behind_the_wall_of_who_sent_the_file(
    engine: Engine, written: dict[str, set[tuple[str, str]]]
) -> None:
    doors = run(importing(engine, "households", COMMUNITY), f"area,door\n{COMMUNITY},101\n")
    clerk = importing(engine, "residents", COMMUNITY)
    file = f"姓名,手机号,区域代码,门牌号\n王小明,{a_phone()},{COMMUNITY},101\n"
    added, changed = run(clerk, file), run(clerk, file.replace("王小明", "王晓明"))

    assert (counts(doors), counts(added)) == ((1, 0, 0, 0), (1, 0, 0, 0))
    # A phone alone does not make somebody of another name the same person.
    assert changed["errors"] == [{"row": 2, "column": None, "code": "resident_exists"}]
    walled = {("", COMMUNITY)}
    for write in ("households", "residents", "resident_keys", "household_members"):
        assert written[f"INSERT {write}"] == walled
    assert written["UPDATE households"] == walled


def test_somebody_of_another_community_is_told_apart_and_not_touched(engine: Engine) -> None:
    phone = a_phone()
    with Session(engine) as session, session.begin():
        World(session).register("李四", phone=phone, area=OTHER)
    clerk = importing(engine, "residents", COMMUNITY)

    found = run(clerk, f"姓名,手机号,地址\n李四,{phone},三号楼\n")

    assert counts(found) == (0, 0, 0, 1)
    assert found["errors"] == [{"row": 2, "column": None, "code": "not_found"}]
    with Session(engine) as session:
        refusals = select(AuditEntry.action, AuditEntry.outcome, AuditEntry.community)
        mine = AuditEntry.actor == clerk.call.actor.id
        last = session.execute(refusals.where(mine).order_by(AuditEntry.id.desc())).first()
    assert tuple(last or ()) == ("residents.write", "refused", OTHER)


def test_a_household_that_has_moved_to_another_community_is_left_alone(engine: Engine) -> None:
    clerk = importing(engine, "households", COMMUNITY)
    file = f"area,door,tenure\n{COMMUNITY},201,owned\n"
    run(clerk, file)
    with Session(engine) as session, session.begin():
        newest = session.scalars(select(Household).order_by(Household.id.desc())).first()
        assert newest is not None
        World(session).amend_household(str(newest.id), area=OTHER)

    again = run(clerk, file.replace("owned", "rented"))

    assert counts(again) == (0, 0, 0, 1)
    assert again["errors"] == [{"row": 2, "column": None, "code": "not_found"}]


def test_somebody_who_had_only_signed_in_is_completed(engine: Engine) -> None:
    phone = a_phone()
    with Session(engine) as session, session.begin():
        known = World(session).ensure(phone)

    found = run(
        importing(engine, "residents", COMMUNITY),
        f"姓名,手机号,区域代码\n赵六,{phone},{COMMUNITY}\n",
    )

    assert counts(found) == (1, 0, 0, 0)
    with Session(engine) as session:
        assert World(session).resident(known)["area"] == COMMUNITY
