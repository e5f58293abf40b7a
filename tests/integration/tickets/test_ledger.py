"""The ledger: all of a period that one may read and keep, page by page."""

from typing import Any

import pytest

from chassis.call import Call
from chassis.errors import Invalid
from services.gateway.policy import Role, grants_for
from tests.integration.tickets.test_rates import CLERK, MARCH, SECRETARY, WATER, Past
from tests.integration.tickets.world import E1, E2, OTHER_GRID, World
from tests.unit.tickets import builders


def listed(world: World, call: Call = CLERK, **query: Any) -> list[str]:
    return [item["id"] for item in world.act(call, "ledger", **{**MARCH, **query})["items"]]


def test_it_is_what_was_filed_in_the_period_in_that_order(world: World) -> None:
    later, first = Past(world, day=9), Past(world, day=2)
    world.file(builders.resident())

    page = world.act(CLERK, "ledger", **MARCH, limit=1)
    rest = world.act(CLERK, "ledger", **MARCH, after=page["next"])

    assert (page["from"], page["to"]) == ("2026-03-01", "2026-03-31")
    assert [item["id"] for item in [*page["items"], *rest["items"]]] == [first.id, later.id]
    assert rest["next"] is None


def test_each_filter_leaves_what_it_says(world: World) -> None:
    solved = Past(world, area=E1).then("assign", department="water").resolved().answered()
    other = Past(world, category="roads.pothole", channel="fair", area=OTHER_GRID)

    for query in (
        {"area": E1},
        {"department": "water"},
        {"category": "water"},
        {"state": "closed"},
    ):
        assert listed(world, **query) == [solved.id], query
    for query in ({"area": E2}, {"department": "none"}, {"channel": "fair"}, {"state": "accepted"}):
        assert listed(world, **query) == [other.id], query


def test_it_is_kept_by_clerks_and_secretaries_of_the_area_alone(world: World) -> None:
    public = Past(world, visibility="public").then("assign", department="water")

    assert listed(world, CLERK) == listed(world, SECRETARY) == [public.id]
    others = [builders.clerk(E2), builders.clerk("340603008099"), builders.grid_worker(), WATER]
    for call in [*others, builders.resident(), builders.anonymous()]:
        assert listed(world, call) == []


@pytest.mark.parametrize(
    ("scopes", "count"), [({"figures:read"}, 0), ({"figures:read", "tickets:read"}, 1)]
)
def test_a_key_that_may_not_read_tickets_gets_no_texts_of_them(
    world: World, scopes: set[str], count: int
) -> None:
    Past(world)
    roles = [Role("clerk", area="340603008002")]

    key = Call(actor=CLERK.actor, grants=grants_for(roles, scopes))

    assert len(listed(world, key)) == count


def test_an_impossible_period_is_refused(world: World) -> None:
    with pytest.raises(Invalid):
        world.act(CLERK, "ledger", **{**MARCH, "to": "2026-02-01"})
