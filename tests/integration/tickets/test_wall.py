"""Behind every query's own conditions stands the wall: what was forgotten there is not shown."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from chassis.call import Call, system_call
from chassis.ids import new_id
from chassis.walls import EVERYTHING
from services.tickets import wall
from tests.integration import walls
from tests.integration.tickets.conftest import migrated
from tests.integration.tickets.test_concurrency import act, everything
from tests.integration.tickets.world import World, filing
from tests.unit.tickets import builders

WITHOUT = {
    "alembic_version": "which migrations ran",
    "areas": "the places everybody may know of",
    "departments": "the departments everybody may know of",
    "duties": "who serves where, asked for every filing and assignment",
    "inbox": "ids of events",
    "number_days": "where each day's numbers begin",
    "outbox": "events on their way, which hold no text and no person",
}
REPORTER, CLERK, WATER = builders.resident(), builders.clerk(), builders.department_clerk()
ELSEWHERE = builders.clerk("340603008099")
STRANGERS = {
    "nobody": builders.anonymous(),
    "a neighbour": builders.resident(),
    "a clerk elsewhere": ELSEWHERE,
    "a grid worker elsewhere": builders.grid_worker("340603008099.e1.g1"),
    "another department": builders.department_clerk("roads"),
    "an administrator": builders.person(builders.Role("administrator")),
}
INSIDERS = {
    "its reporter": REPORTER,
    "a clerk": CLERK,
    "a grid worker": builders.grid_worker(),
    "its department": WATER,
    "the district": builders.clerk("340603000000"),
    "the system": system_call("tickets"),
}


@pytest.fixture(scope="module")
def application(postgres: Any) -> Iterator[Engine]:
    """The application's engine, on a database with one private ticket and all that hangs on it."""
    engine = create_engine(migrated(postgres)["app_url"], pool_size=1)
    with everything(engine) as session, session.begin():
        World(session)
    ticket = told(engine, REPORTER, "file_ticket", **filing())
    ticket = told(engine, CLERK, "accept", id=ticket["id"], if_match=1)
    told(engine, CLERK, "assign", id=ticket["id"], if_match=2, department="water")
    told(engine, REPORTER, "comment", id=ticket["id"], text="还没有修好")
    yield engine
    engine.dispose()


def told(engine: Engine, call: Call, method: str, **body: Any) -> Any:
    return act(engine, replace(call, command_id=str(new_id())), method, **body)


@pytest.fixture
def walled(application: Engine) -> list[str]:
    """The tables behind the wall."""
    return [name for name, has_wall in walls.tables(application).items() if has_wall]


def test_every_table_has_a_wall_or_a_reason(application: Engine) -> None:
    walls.check_every_table(application, WITHOUT)
    walls.check_the_user(application)


def test_who_was_told_nothing_sees_nothing(application: Engine, walled: list[str]) -> None:
    seen = walls.counts(application, walls.NOTHING, dict.fromkeys(walled))

    assert seen == dict.fromkeys(walled, 0)
    everywhere = walls.counts(application, EVERYTHING, dict.fromkeys(walled))
    assert all(everywhere.values()), f"a table here has no row that could be hidden: {everywhere}"


@pytest.mark.parametrize("who", STRANGERS)
def test_a_query_that_forgot_its_condition_shows_strangers_nothing(
    application: Engine, walled: list[str], who: str
) -> None:
    seen = walls.counts(application, wall.settings(STRANGERS[who]), dict.fromkeys(walled))

    assert seen == dict.fromkeys(walled, 0)


@pytest.mark.parametrize("who", INSIDERS)
def test_whom_it_concerns_is_not_kept_out(application: Engine, walled: list[str], who: str) -> None:
    seen = walls.counts(application, wall.settings(INSIDERS[who]), dict.fromkeys(walled))

    assert all(seen.values()), seen


def test_strangers_neither_change_nor_delete_what_they_do_not_see(
    application: Engine, walled: list[str]
) -> None:
    with walls.seeing(application, wall.settings(ELSEWHERE)) as connection:
        for table in walled:
            assert connection.execute(text(f"DELETE FROM {table}")).rowcount == 0
        assert connection.execute(text("UPDATE tickets SET title = 'x'")).rowcount == 0


def test_no_plan_outlives_the_transaction_it_was_made_for(application: Engine) -> None:
    walls.check_no_plan_is_kept(application, "tickets")


def test_a_wall_costs_one_statement(application: Engine) -> None:
    from sqlalchemy import event

    statements: list[str] = []
    event.listen(application, "before_cursor_execute", lambda *args: statements.append(args[2]))
    walls.counts(application, wall.settings(CLERK), {"tickets": None})

    assert len(statements) == 2
