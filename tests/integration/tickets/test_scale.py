"""Lists among a hundred thousand tickets: a page costs the same however many lie behind it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.orm import Session

from chassis import walls
from chassis.call import Call, system_call
from chassis.walls import EVERYTHING
from services.gateway.policy import Role
from services.tickets import cursors, listing, questions, rates, recent, rows, wall
from services.tickets.models import TICKETS
from tests.integration.tickets.conftest import migrated
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY

MANY = 100_000
# Pages of PostgreSQL, 8 KiB each, that one page of a list may touch; all tickets fill over 5,000.
# The most is for all that ever happened in one grid: as many as it has tickets, a thousand, and of
# the indexes what tells which of them the caller may see.
FEW = 1_200
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
  1, 3, (ARRAY['water.burst_pipe', 'water.quality', 'roads.pothole', 'property.fees'])
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

# Of each ticket how it counts now, and at two times before.
FIGURE = """
INSERT INTO figures (ticket, since, until, filed_at, area, area_path, community, channel, category,
  state, department, uncontacted, exclusions, solved_share, response_rate, resolution_rate,
  satisfaction_rate)
SELECT id, filed_at + n * interval '1 day',
  CASE WHEN n < 2 THEN filed_at + (n + 1) * interval '1 day' END, filed_at, area, area_path,
  area_path[3], channel, category, state, department, false, '{}', 'numerator', 'rest',
  CASE WHEN n = 2 THEN 'numerator' END, CASE WHEN n = 2 THEN 'rest' END
FROM tickets, generate_series(0, 2) n;
"""

# And what happened to each: it was filed, accepted an hour later, and is now as it is.
HAPPENED = """
INSERT INTO history (ticket, sequence, move, event, to_state, version, actor_kind, occurred_at,
  recorded_at, details)
SELECT id, n, (ARRAY['filing', 'acceptance', 'closing'])[n], 'x', state, n, 'person', at, at, '{}'
FROM tickets, generate_series(1, 3) n,
  LATERAL (SELECT CASE WHEN n < 3 THEN filed_at + n * interval '1 hour' ELSE changed_at END AS at) x
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
        connection.execute(text(FIGURE))
        connection.execute(text(HAPPENED))
        connection.execute(text("VACUUM ANALYZE tickets, figures, history"))
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
    "clerk of nothing": builders.clerk("340603008099"),
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
    statement = listing.statement(CALLERS[who], questions.ListTickets().load(query))
    touched, plan = explained(city, CALLERS[who], statement, by_words="q" in query)

    assert touched < FEW, plan


@pytest.mark.parametrize("query", [{}, {"after": OLD}, {"sort": "filed_at"}], ids=repr)
@pytest.mark.parametrize(
    "who", ["nobody", "new resident", "resident", "clerk", "department clerk", "clerk of nothing"]
)
def test_what_was_filed_last_or_first_is_found_without_looking_at_the_rest(
    city: Connection, who: str, query: dict[str, Any]
) -> None:
    statement = listing.statement(CALLERS[who], questions.ListTickets().load(query))
    touched, plan = explained(city, CALLERS[who], statement)

    # Fifty-one of each reach, and a page of its index for each few.
    assert touched < 600, plan


def test_the_wall_does_not_make_a_caller_s_own_tickets_look_rare(city: Connection) -> None:
    """Where PostgreSQL expects few it reads all and sorts them: among millions, thousands for a
    page.
    """
    clerk = CALLERS["clerk"]
    own = select(TICKETS.c.id).where(TICKETS.c.community == COMMUNITY)
    _, plan = explained(city, clerk, own)
    expected, found = (int(rows) for rows in re.findall(r" rows=(\d+)", plan)[:2])

    assert expected > found / 4, plan


@pytest.mark.parametrize("query", [{}, {"area": f"{COMMUNITY}.e1"}], ids=repr)
@pytest.mark.parametrize("who", CALLERS)
def test_a_call_list_touches_few_pages(city: Connection, who: str, query: dict[str, Any]) -> None:
    wanted = questions.CallList().load(query)
    touched, plan = explained(city, CALLERS[who], listing.waiting(CALLERS[who], wanted))

    assert touched < FEW, plan


# A month of the city is 4,400 tickets, of one community 220, each with three rows.
MONTH = {"from": "2025-02-01", "to": "2025-02-28"}
COUNTS: list[dict[str, Any]] = [
    {},
    {"by": "day"},
    {"by": "area", "area": COMMUNITY},
    {"area": f"{COMMUNITY}.e1.g2", "department": "water"},
    {"as_of": "2025-02-14", "category": "water"},
]


@pytest.mark.parametrize("query", COUNTS, ids=repr)
@pytest.mark.parametrize(
    ("who", "most"), [("clerk", 400), ("department clerk", 1500), ("district clerk", 1500)]
)
def test_the_rates_of_a_month_cost_that_month_s_tickets_and_no_more(
    city: Connection, who: str, most: int, query: dict[str, Any]
) -> None:
    wanted = questions.Rates().load({**MONTH, **query})
    asked = rates.period(wanted, builders.NOON.date())
    touched, plan = explained(city, CALLERS[who], rates.counted(CALLERS[who], wanted, asked))

    assert touched < most, plan


@pytest.mark.parametrize("query", [{}, {"as_of": "2025-02-14"}], ids=repr)
@pytest.mark.parametrize(("who", "most"), [("clerk", 3000), ("department clerk", 5000)])
def test_the_tickets_behind_a_rate_are_looked_for_in_its_period(
    city: Connection, who: str, most: int, query: dict[str, Any]
) -> None:
    wanted = {**MONTH, "rate": "solved_share", "part": "numerator", **query}
    touched, plan = explained(
        city, CALLERS[who], listing.statement(CALLERS[who], questions.ListTickets().load(wanted))
    )

    assert touched < most, plan


# Ninety days of the city are 13,000 tickets, of which 1,300 are public.
QUARTER = {"from": "2025-02-01T00:00:00+08:00", "until": "2025-05-02T00:00:00+08:00"}

DAY = {"recorded_from": "2025-02-01T00:00:00Z", "recorded_until": "2025-02-02T00:00:00Z"}


def quarter(what: str) -> dict[str, str]:
    return {f"{what}_{end}": moment for end, moment in QUARTER.items()}


@pytest.mark.parametrize(
    ("query", "most"),
    [
        (quarter("filed"), 300),
        ({**quarter("filed"), "area": COMMUNITY}, 500),
        ({**quarter("filed"), "state": ["filed", "accepted"]}, 1500),
        ({**quarter("filed"), "categories": ["water.quality"]}, 1500),
        ({**quarter("filed"), "offset": 1000}, 1500),
        # A look at the ticket of each row of history.
        (DAY, 2500),
        ({"ids": [SOMEBODY, "20240101-000001"]}, 20),
    ],
    ids=repr,
)
def test_what_anybody_asks_of_a_period_costs_no_more_than_the_period(
    city: Connection, query: dict[str, Any], most: int
) -> None:
    call = builders.anonymous()
    wanted = recent.wanted_requests(call, questions.Requests().load(query))
    touched, plan = explained(city, call, wanted)

    assert touched < most, plan


@pytest.mark.parametrize("area", [{}, {"area": COMMUNITY}], ids=repr)
def test_what_happened_in_a_day_is_found_by_the_day(city: Connection, area: dict[str, str]) -> None:
    call = builders.anonymous()
    wanted = recent.wanted_updates(call, questions.Updates().load({**DAY, **area}))
    touched, plan = explained(city, call, wanted)

    # Some 430 rows of history, and a look at the ticket of each.
    assert touched < 2500, plan


def test_counting_what_is_not_done_reads_nothing_of_what_is(city: Connection) -> None:
    touched, plan = explained(city, system_call("tickets"), rows.UNFINISHED)

    # Two thousand entries of an index, and no ticket.
    assert touched < 100, plan
    assert "Index Only Scan" in plan


def explained(
    city: Connection, call: Call, statement: Any, *, by_words: bool = False
) -> tuple[int, str]:
    """How many pages a statement touches that is run for a call, and its plan."""
    seen = wall.settings(replace(call, command_id=None))
    if by_words:
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
