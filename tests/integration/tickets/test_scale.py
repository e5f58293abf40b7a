"""Lists among a hundred thousand tickets: a page costs the same however many lie behind it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.orm import Session

from chassis import walls
from chassis.call import Call
from chassis.walls import EVERYTHING
from services.gateway.policy import Role
from services.tickets import cursors, listing, schemas, wall
from services.tickets.models import TICKETS
from tests.integration.tickets.conftest import migrated
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY

MANY = 100_000
# Pages of PostgreSQL, 8 KiB each, that one page of a list may touch; all tickets fill over 5,000.
# The most is for all that ever happened in one grid: as many as it has tickets, a thousand.
FEW = 1_000
SOMEBODY = "00000000-0000-7000-8000-000000000042"

# A city of 20 communities with five grids each: 2 % of its tickets are open, 10 % public; five
# thousand reporters, three hundred assignees, forty clerks. `pick` scatters them without a pattern.
FILL = """
CREATE FUNCTION pick(n integer, salt integer, among integer) RETURNS integer LANGUAGE sql IMMUTABLE
  RETURN abs(hashint8extended(n, salt) % among)::integer;
INSERT INTO tickets (id, number, kind, state, version, sequence, category, description, area,
  area_path, place, channel, visibility, priority, reporter, filed_by, department, assignee,
  accepted_by, send_backs, reopenings, filed_at, recorded_at, changed_at, search)
SELECT gen_random_uuid(), 'n' || n, 'request',
  CASE WHEN n > 98000
    THEN (ARRAY['filed', 'accepted', 'assigned', 'in_progress', 'resolved'])[1 + pick(n, 1, 5)]
    ELSE (ARRAY['closed', 'closed', 'closed', 'refused', 'withdrawn'])[1 + pick(n, 2, 5)] END,
  1, 1, (ARRAY['water.burst_pipe', 'water.quality', 'roads.pothole', 'property.fees'])
    [1 + pick(n, 3, 4)], '', grid,
  ARRAY['340603000000', '340603008000', community, community || '.e1', grid], 'x', 'page',
  CASE WHEN pick(n, 4, 10) = 0 THEN 'public' ELSE 'private' END, 'normal',
  ('00000000-0000-7000-8000-' || lpad(pick(n, 5, 5000)::text, 12, '0'))::uuid,
  CASE WHEN pick(n, 6, 7) = 0 THEN 'clerk' || pick(n, 7, 40) END,
  (ARRAY['water', 'roads', 'housing', 'power', 'gas'])[1 + pick(n, 8, 5)],
  ('00000000-0000-7000-8000-' || lpad(pick(n, 9, 300)::text, 12, '0'))::uuid,
  'clerk' || pick(n, 7, 40), 0, 0, at, at, at + pick(n, 10, 1000) * interval '1 hour',
  array_to_tsvector(CASE WHEN pick(n, 11, 1000) = 0
    THEN ARRAY['漏水', '水管'] ELSE ARRAY['路灯', '灯坏'] END)
FROM (
  SELECT n, at, community, community || '.e1.g' || pick(n, 12, 5) AS grid
  FROM (
    SELECT n, timestamptz '2024-01-01' + n * interval '10 min' AS at,
      '3406030080' || lpad(pick(n, 13, 20)::text, 2, '0') AS community
    FROM generate_series(1, 100000) n
  ) places
) tickets;
"""


@pytest.fixture(scope="module")
def city(postgres: Any) -> Iterator[Connection]:
    """The application's connection, behind the wall, to a database with a hundred thousand
    tickets.
    """
    urls = migrated(postgres)
    owner = create_engine(urls["owner_url"], isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(FILL))
        connection.execute(text("VACUUM ANALYZE tickets"))
    owner.dispose()
    engine = create_engine(urls["app_url"])
    with engine.connect() as connection:
        yield connection
    engine.dispose()


CALLERS = {
    "nobody": builders.anonymous(),
    "new resident": builders.resident(),
    "resident": builders.person(id=SOMEBODY),
    "clerk": builders.clerk(),
    "district clerk": builders.clerk("340603000000"),
    "grid worker": builders.grid_worker(f"{COMMUNITY}.e1.g2"),
    "department clerk": builders.department_clerk("water"),
    "assignee": builders.person(Role("mediator", area="340603008099"), id=SOMEBODY),
}
OLD = cursors.after("-filed_at", builders.NOON.replace(year=2024), SOMEBODY)
QUERIES: list[dict[str, Any]] = [
    {},
    {"after": OLD},
    {"sort": "filed_at"},
    {"sort": "-changed_at"},
    {"state": "filed,accepted"},
    {"state": "in_progress"},
    {"state": "closed"},
    {"category": "water"},
    {"category": "roads.pothole"},
    {"department": "roads"},
    {"reporter": SOMEBODY},
    {"assignee": SOMEBODY},
    {"area": f"{COMMUNITY}.e1.g2"},
    {"area": f"{COMMUNITY}.e1.g2", "state": "filed,accepted,assigned,in_progress"},
    {"q": "水管"},
    {"q": "路灯"},
    {"q": "没有的"},
    {"q": "20240101-000001"},
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: repr(query)[:60])
@pytest.mark.parametrize("who", CALLERS)
def test_a_page_touches_few_pages_of_the_database(
    city: Connection, who: str, query: dict[str, Any]
) -> None:
    touched, plan = explained(city, CALLERS[who], query)

    assert touched < FEW, plan


def explained(city: Connection, call: Call, query: dict[str, Any]) -> tuple[int, str]:
    """How many pages a list touches, and its plan."""
    statement = listing.statement(call, schemas.ListTickets().load(query))
    seen = wall.settings(replace(call, command_id=None))
    if "q" in query:
        # Whose rows are then read by their ids.
        statement, seen = statement.with_only_columns(TICKETS.c.id), EVERYTHING
    compiled = statement.compile(city.engine, compile_kwargs={"render_postcompile": True})
    with Session(city) as session, session.begin():
        walls.tell(session, seen)
        plan = city.connection.cursor()
        plan.execute(f"EXPLAIN (ANALYZE, BUFFERS) {compiled}", compiled.params)
        lines = [line for (line,) in plan.fetchall()]
    # Where no row can qualify, PostgreSQL knows it without touching any.
    buffers = next((line for line in lines if "Buffers:" in line), "")
    touched = sum(
        int(part.split("=")[1]) for part in buffers.split() if part.startswith(("hit=", "read="))
    )
    return touched, "\n".join(lines)
