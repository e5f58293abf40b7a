"""A thousand random requests: what follows them, what is made anew from history, and plain SQL that
knows neither, count the same.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, delete, select, text

from chassis import clock, walls
from chassis.call import system_call
from chassis.testing.sessions import rolled_back
from services.tickets import figure_rows
from services.tickets.commands import follow_up
from services.tickets.models import FIGURES
from tests.integration.tickets.conftest import migrated
from tests.integration.tickets.random_lives import RATES, Life
from tests.integration.tickets.test_concurrency import act, crowd, everything
from tests.integration.tickets.world import E1, World, filing
from tests.unit.tickets import builders

__all__ = ["crowd"]

pytestmark = pytest.mark.timeout(900)  # of which a thousand lives take most

MANY = 1000
CLERK = builders.clerk()
APRIL = "2026-04-30"


@pytest.fixture(scope="module")
def engine(postgres: Any) -> Iterator[Engine]:
    """A database that nobody has used: what others filled and rolled back has PostgreSQL take these
    tables for empty, and a thousand lives are too many for such plans.
    """
    engine = create_engine(migrated(postgres)["app_url"])
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def world(engine: Engine) -> Iterator[World]:
    """A community in which a thousand requests have gone their ways; silence closed some."""
    chance = Random(20260301)
    with rolled_back(engine) as session:
        walls.tell(session, walls.EVERYTHING)
        world = World(session)
        for _ in range(MANY):
            Life(world, chance).live()
        later = clock.now() + timedelta(days=8)
        follow_up.close_silent(session, system_call("tickets"), later, 40)
        yield world


# Written from the definitions alone, from tickets and their history.
PLAIN = """
WITH told AS NOT MATERIALIZED (SELECT * FROM history WHERE occurred_at < :end),
known AS (
  SELECT t.id, t.filed_at, t.area_path, t.channel, l.to_state AS state, l.department, c.category
  FROM tickets t
  JOIN (SELECT DISTINCT ON (ticket) * FROM told ORDER BY ticket, sequence DESC) l ON l.ticket = t.id
  JOIN (SELECT DISTINCT ON (ticket) ticket, details->>'category' AS category FROM told
        WHERE details ? 'category' ORDER BY ticket, sequence DESC) c ON c.ticket = t.id
),
answers AS (
  SELECT DISTINCT ON (ticket) ticket, details->>'solved' AS solved,
    details->>'satisfied' AS satisfied
  FROM told
  WHERE move = 'follow-up' AND details->>'solved' <> 'unreachable'
     OR move = 'closing' AND details->>'solved' = 'no_answer'
  ORDER BY ticket, sequence DESC
),
facts AS (
  SELECT k.*,
    state = 'closed' AND coalesce(solved = 'yes', false) AS is_solved,
    solved = 'yes' AS said_solved,
    solved IN ('yes', 'partly', 'no') AS said_whether_solved,
    satisfied = 'yes' AS said_satisfied,
    satisfied IN ('yes', 'no') AS said_whether_satisfied,
    EXISTS (
      SELECT FROM told WHERE ticket = k.id AND move = 'acceptance' AND occurred_at <=
        k.filed_at + (CAST(:hours AS jsonb)->>k.category)::int * interval '1 hour'
    ) AND NOT EXISTS (
      SELECT FROM told WHERE ticket = k.id AND move = 'follow-up' AND details->>'contacted' = 'no'
    ) AS is_responded_to,
    ARRAY(
      SELECT details->>'rate' FROM told e WHERE ticket = k.id AND move = 'exclusion'
      AND NOT EXISTS (SELECT FROM told WHERE ticket = k.id AND move = 'inclusion'
        AND details->>'rate' = e.details->>'rate' AND sequence > e.sequence)
    ) AS excluded
  FROM known k LEFT JOIN answers a ON a.ticket = k.id
  WHERE state NOT IN ('refused', 'withdrawn')
    AND (CAST(:area AS text) IS NULL OR CAST(:area AS text) = ANY (area_path))
)
SELECT {key} AS key,
  count(*) FILTER (WHERE NOT 'solved_share' = ANY (excluded) AND is_solved),
  count(*) FILTER (WHERE NOT 'solved_share' = ANY (excluded)),
  count(*) FILTER (WHERE 'solved_share' = ANY (excluded)),
  count(*) FILTER (WHERE NOT 'response_rate' = ANY (excluded) AND is_responded_to),
  count(*) FILTER (WHERE NOT 'response_rate' = ANY (excluded)),
  count(*) FILTER (WHERE 'response_rate' = ANY (excluded)),
  count(*) FILTER (WHERE NOT 'resolution_rate' = ANY (excluded) AND said_solved),
  count(*) FILTER (WHERE NOT 'resolution_rate' = ANY (excluded) AND said_whether_solved),
  count(*) FILTER (WHERE 'resolution_rate' = ANY (excluded) AND said_whether_solved),
  count(*) FILTER (WHERE NOT 'satisfaction_rate' = ANY (excluded) AND said_satisfied),
  count(*) FILTER (WHERE NOT 'satisfaction_rate' = ANY (excluded) AND said_whether_satisfied),
  count(*) FILTER (WHERE 'satisfaction_rate' = ANY (excluded) AND said_whether_satisfied)
FROM facts GROUP BY 1 ORDER BY 1
"""
KEYS = {
    None: "'all'",
    "department": "department",
    "category": "category",
    "channel": "channel",
    "day": "to_char(filed_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD')",
}


def plain(world: World, by: str | None, as_of: str | None, area: str | None) -> list[Any]:
    categories = world.act(CLERK, "categories")["items"]
    hours = {one["code"]: one["response_hours"] for one in categories if one["parent"]}
    end = f"{as_of} 24:00+08" if as_of else "infinity"
    given = {"end": end, "hours": json.dumps(hours), "area": area}
    rows = world.session.execute(text(PLAIN.format(key=KEYS[by])), given)
    return [(row[0], *row[1:]) for row in rows if any(row[1:])]


def served(world: World, by: str | None, as_of: str | None, area: str | None) -> list[Any]:
    query = {"from": "2026-03-01", "to": APRIL, "by": by, "as_of": as_of, "area": area}
    query = {name: value for name, value in query.items() if value}
    told = world.act(CLERK, "rates", **query)
    items = told["items"] if by else [{"key": "all", **told}]
    parts = ("numerator", "denominator", "excluded")
    found = [
        (item["key"], *(item[rate][part] for rate in RATES for part in parts)) for item in items
    ]
    return [row for row in found if any(row[1:])]


@pytest.mark.parametrize("area", [None, E1])
@pytest.mark.parametrize("as_of", [None, "2026-03-08", "2026-03-20", "2026-04-30"])
@pytest.mark.parametrize("by", KEYS)
def test_rates_are_what_plain_sql_counts(
    world: World, by: str | None, as_of: str | None, area: str | None
) -> None:
    assert served(world, by, as_of, area) == plain(world, by, as_of, area)


@pytest.mark.parametrize("as_of", [None, "2026-03-20"])
@pytest.mark.parametrize("rate", RATES)
def test_the_tickets_behind_a_number_are_as_many(
    world: World, rate: str, as_of: str | None
) -> None:
    query = {"from": "2026-03-01", "to": APRIL, "area": E1, **({"as_of": as_of} if as_of else {})}
    told = world.act(CLERK, "rates", **query)[rate]

    for part in ("numerator", "denominator", "excluded"):
        assert len(listed(world, {**query, "rate": rate, "part": part})) == told[part]


def listed(world: World, query: dict[str, Any]) -> set[str]:
    found, after = set(), None
    while True:
        page = world.act(CLERK, "list_tickets", **query, limit=200, after=after)
        found |= {item["id"] for item in page["items"]}
        if (after := page["next"]) is None:
            return found


def test_every_kind_of_course_was_among_them(world: World) -> None:
    moves = world.session.execute(text("SELECT move, count(*) FROM history GROUP BY 1")).all()
    answers = world.session.scalars(text("SELECT DISTINCT details->>'solved' FROM history"))

    assert min(count for _, count in moves) >= 10
    assert len(moves) == 14
    assert set(answers) >= {"yes", "partly", "no", "unreachable", "no_answer"}


@pytest.mark.parametrize("lost", [False, True], ids=["as they are", "after all are lost"])
def test_figures_made_anew_from_history_are_the_same(world: World, lost: bool) -> None:
    before = all_of(world.session)
    if lost:
        world.session.execute(delete(FIGURES))

    assert figure_rows.make_anew(world.session.connection()) == MANY
    assert all_of(world.session) == before


def all_of(session: Any) -> list[Any]:
    rows = session.execute(select(FIGURES).order_by(FIGURES.c.ticket, FIGURES.c.since))
    return [tuple(row) for row in rows]


def test_a_ticket_without_figures_gets_them_with_its_next_move(world: World) -> None:
    ticket = world.file(builders.resident())
    world.act(CLERK, "comment", ticket, text="x")
    mine = FIGURES.c.ticket == ticket["id"]
    before = world.session.execute(select(FIGURES).where(mine)).all()
    world.session.execute(delete(FIGURES).where(mine))

    world.act(CLERK, "comment", ticket, text="y")

    assert world.session.execute(select(FIGURES).where(mine)).all() == before


def test_figures_can_be_made_anew_while_tickets_move(crowd: Engine) -> None:
    filed = [act(crowd, builders.resident(), "file_ticket", **filing()) for _ in range(20)]

    def move(ticket: dict[str, Any]) -> None:
        act(crowd, CLERK, "accept", id=ticket["id"], if_match=1)
        act(crowd, CLERK, "resolve", id=ticket["id"], if_match=2, summary="修好了")
        act(crowd, CLERK, "rate", id=ticket["id"], solved="yes", satisfied="yes")

    with ThreadPoolExecutor(8) as pool:
        moving = [pool.submit(move, ticket) for ticket in filed]
        while not all(one.done() for one in moving):
            figure_rows.make_anew(crowd)
        for one in moving:
            one.result()

    with everything(crowd) as session:
        followed = all_of(session)
    figure_rows.make_anew(crowd)
    with everything(crowd) as session:
        assert all_of(session) == followed
    told = act(crowd, CLERK, "rates")
    assert told["resolution_rate"]["numerator"] >= len(filed)
