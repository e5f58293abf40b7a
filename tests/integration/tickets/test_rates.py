"""Rates, the tickets behind them, and what the secretary excludes."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.call import Call
from chassis.errors import Forbidden, Invalid
from services.gateway.policy import Role
from services.tickets import rates
from services.tickets.errors import AlreadyExcluded, NotExcluded, UnknownTicket
from tests.integration.tickets.world import BUILDING, E1, E2, OTHER_GRID, World, filing
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY, GRID

REPORTER = builders.resident()
CLERK = builders.clerk()
SECRETARY = builders.secretary()
WATER = builders.department_clerk("water")
ROADS = builders.department_clerk("roads")
MACHINE = Role("machine")
# A month that is over, so that what is imported into it stays there.
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}
RATES = ("solved_share", "response_rate", "resolution_rate", "satisfaction_rate")
Json = dict[str, Any]


def at(day: int, hour: int = 8) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=clock.ZONE)


def on(role: Role, moment: datetime, id: str) -> Call:
    """Somebody's API key, which says when it happened."""
    return builders.person(role, MACHINE, id=id, occurred_at=moment)


class Past:
    """A request of March, moved along by an importer."""

    def __init__(self, world: World, day: int = 1, **values: Any) -> None:
        self.world, self.now = world, at(day)
        self.department: str | None = None
        self.ticket = world.act_then(self._secretary(), "file_ticket", filing(**values))

    def _secretary(self) -> Call:
        return on(Role("secretary", area=COMMUNITY), self.now, SECRETARY.actor.id or "")

    def _holder(self) -> Call:
        """Who resolves it: the secretary until a department has it."""
        if self.department is None:
            return self._secretary()
        role = Role("department_clerk", department=self.department)
        return on(role, self.now, WATER.actor.id or "")

    def then(self, method: str, days: float = 0, **body: Any) -> "Past":
        self.now += timedelta(days=days)
        if method in ("assign", "resolve", "refuse"):
            body["if_match"] = self.world.version(self.ticket)
        self.department = body.get("department", self.department)
        call = self._holder() if method == "resolve" else self._secretary()
        self.world.act_then(call, method, {"id": self.ticket["id"], **body})
        return self

    def resolved(self, days: float = 1) -> "Past":
        return self.then("resolve", days, summary="修好了")

    def answered(self, solved: str = "yes", satisfied: str = "yes", **more: Any) -> "Past":
        return self.then("rate", 1, solved=solved, satisfied=satisfied, **more)

    @property
    def id(self) -> str:
        found: str = self.ticket["id"]
        return found


def counted(world: World, call: Call = CLERK, **query: Any) -> dict[str, tuple[int, int, int]]:
    told = world.act(call, "rates", **{**MARCH, **query})
    return {rate: figures(told[rate]) for rate in RATES}


def figures(rate: Json) -> tuple[int, int, int]:
    return rate["numerator"], rate["denominator"], rate["excluded"]


def behind(world: World, call: Call, filters: Json, rate: str, part: str) -> set[str]:
    query = {**filters, "rate": rate, "part": part, "limit": 200}
    return {item["id"] for item in world.act(call, "list_tickets", **query)["items"]}


def test_a_month_is_counted_as_defined(world: World) -> None:
    Past(world).resolved().answered()
    Past(world).resolved().answered("partly", "no")
    Past(world).resolved().answered("no", "no").resolved().answered("yes", "no_answer")
    Past(world).resolved()
    Past(world).then("refuse", reason="不归我们")
    Past(world, day=1)

    told = world.act(CLERK, "rates", **MARCH)

    assert (told["collected"], told["solved"]) == (5, 2)
    assert {rate: figures(told[rate]) for rate in RATES} == {
        "solved_share": (2, 5, 0),
        "response_rate": (5, 5, 0),
        "resolution_rate": (2, 3, 0),
        "satisfaction_rate": (1, 2, 0),
    }
    assert told["resolution_rate"]["value"] == 0.6667
    assert world.act(CLERK, "rates", to="2026-02-28")["solved_share"]["value"] is None


def test_without_days_it_is_this_month_until_today(world: World) -> None:
    world.file(REPORTER)
    Past(world)
    today = clock.local(clock.now()).date()

    told = world.act(CLERK, "rates")

    assert (told["from"], told["to"]) == (today.replace(day=1).isoformat(), today.isoformat())
    assert told["collected"] == 1


@pytest.mark.parametrize(
    ("days", "code"),
    [
        ({"from": "2026-03-02", "to": "2026-03-01"}, "before_start"),
        ({"from": "2025-03-31", "to": "2026-04-01"}, "period_too_long"),
    ],
)
def test_an_impossible_period_is_refused(world: World, days: Json, code: str) -> None:
    for method, more in (("rates", {}), ("list_tickets", {"rate": "solved_share"})):
        with pytest.raises(Invalid) as refused:
            world.act(CLERK, method, **days, **more)
        assert [error["code"] for error in refused.value.errors] == [code]


def test_a_day_is_that_of_the_local_wall_clock(world: World) -> None:
    """Half past midnight of the first is still the month before in UTC."""
    early = Past(world)
    role = Role("secretary", area=COMMUNITY)
    call = on(role, datetime(2026, 4, 1, 0, 30, tzinfo=clock.ZONE), "x")
    world.act_then(call, "file_ticket", filing())

    told = world.act(CLERK, "rates", **{**MARCH, "to": "2026-04-30"}, by="month")

    assert [(item["key"], item["collected"]) for item in told["items"]] == [
        ("2026-03", 1),
        ("2026-04", 1),
    ]
    assert behind(world, CLERK, told["items"][0]["filters"], RATES[0], "denominator") == {early.id}


def test_each_filter_counts_what_it_says(world: World) -> None:
    Past(world).then("assign", department="water").resolved().answered()
    Past(world, category="roads.pothole", channel="fair", area=OTHER_GRID).resolved().answered("no")

    def collected(**query: Any) -> int:
        return counted(world, **query)["solved_share"][1]

    assert [collected(area=area) for area in (COMMUNITY, E1, E2, GRID, "340603000000")] == [
        2,
        1,
        1,
        1,
        2,
    ]
    assert [collected(category=code) for code in ("water", "water.burst_pipe", "roads")] == [1] * 3
    assert [collected(channel=channel) for channel in ("fair", "page", "phone")] == [1, 1, 0]
    assert [collected(department=code) for code in ("water", "roads", "none")] == [1, 0, 1]
    assert collected(area=E1, category="roads") == 0


@pytest.mark.parametrize("by", ["day", "month", "area", "department", "category", "channel"])
def test_groups_add_up_and_each_finds_its_tickets_again(world: World, by: str) -> None:
    Past(world).then("assign", department="water").resolved().answered()
    Past(world, 2, category="roads.pothole", channel="fair", area=OTHER_GRID).resolved().answered()
    Past(world, 2, area=E1).then("assign", department="roads").resolved().answered("no", "no")
    Past(world, 3, area=COMMUNITY).then("exclude", rate="solved_share", reason="误报")

    told = world.act(CLERK, "rates", **MARCH, by=by, area=COMMUNITY)

    assert sum(item["collected"] for item in told["items"]) == told["collected"] == 3
    assert len({item["key"] for item in told["items"]}) == len(told["items"]) > (by == "day")
    assert all(item["name"] for item in told["items"] if item["key"])
    for item in [told, *told["items"]]:
        for rate in RATES:
            numbers = [
                len(behind(world, CLERK, item["filters"], rate, part)) for part in rates.PARTS
            ]
            assert tuple(numbers) == figures(item[rate]), (item.get("key"), rate)


def test_by_area_means_the_places_right_below(world: World) -> None:
    Past(world, area=BUILDING)
    Past(world, area=E1)

    def keys(**query: Any) -> list[str]:
        return [
            item["key"] for item in world.act(CLERK, "rates", **MARCH, by="area", **query)["items"]
        ]

    assert keys() == [COMMUNITY]
    assert keys(area=COMMUNITY) == [E1]
    assert keys(area=E1) == [E1, GRID]


def test_as_of_a_day_it_is_answered_as_it_stood_at_its_end(world: World) -> None:
    past = Past(world, 1).then("assign", 0, department="water")
    past.then("resolve", 5, summary="修好了").answered("no", "no")
    past.then("assign", 2, department="roads").resolved(1).answered("yes", "yes")

    def seen(day: int, **query: Any) -> list[tuple[int, int, int]]:
        as_of = date(2026, 3, day).isoformat()
        return list(counted(world, as_of=as_of, **query).values())

    assert seen(1) == [(0, 1, 0), (1, 1, 0), (0, 0, 0), (0, 0, 0)]
    assert seen(7) == [(0, 1, 0), (1, 1, 0), (0, 1, 0), (0, 1, 0)]
    assert seen(31) == [(1, 1, 0), (1, 1, 0), (1, 1, 0), (1, 1, 0)]
    assert seen(8, department="water")[0] == (0, 1, 0)
    assert seen(9, department="water")[0] == (0, 0, 0)
    assert seen(9, department="roads")[0] == (0, 1, 0)
    early = {**MARCH, "as_of": "2026-03-07"}
    assert behind(world, CLERK, early, "resolution_rate", "denominator") == {past.id}
    assert behind(world, CLERK, early, "resolution_rate", "numerator") == set()


def test_an_exclusion_is_kept_with_by_whom_and_why_and_can_be_taken_back(world: World) -> None:
    past = Past(world).resolved().answered("no", "no")
    ticket = past.ticket

    made = world.act(SECRETARY, "exclude", ticket, rate="resolution_rate", reason="居民搬离")
    excluded = counted(world)
    seen = world.act(CLERK, "exclusions", ticket)
    left = world.act(SECRETARY, "include", ticket, rate="resolution_rate")

    assert made == seen
    (one,) = seen["items"]
    assert (one["rate"], one["reason"], one["by"]) == (
        "resolution_rate",
        "居民搬离",
        SECRETARY.actor.id,
    )
    assert excluded["resolution_rate"] == (0, 0, 1)
    assert excluded["satisfaction_rate"] == (0, 1, 0)
    assert left["items"] == []
    assert counted(world)["resolution_rate"] == (0, 1, 0)
    rows = world.history(ticket)[-2:]
    assert [(row.move, row.actor) for row in rows] == [
        ("exclusion", SECRETARY.actor.id),
        ("inclusion", SECRETARY.actor.id),
    ]
    assert [event.data["rate"] for event in world.events(ticket)[-2:]] == ["resolution_rate"] * 2
    assert "居民搬离" not in "".join(message.body for message in world.messages(ticket))


def test_an_exclusion_changes_nobody_s_form(world: World) -> None:
    ticket = world.file(REPORTER)

    world.act(SECRETARY, "exclude", ticket, rate="solved_share", reason="误报")

    assert world.act(CLERK, "accept", ticket, if_match=ticket["version"])["state"] == "accepted"


def test_an_exclusion_twice_is_a_conflict_unless_it_is_the_same_command(world: World) -> None:
    ticket = world.file(REPORTER)
    call = Call(actor=SECRETARY.actor, grants=SECRETARY.grants, command_id="exclude")
    body = {"rate": "solved_share", "reason": "误报"}

    first = world.act(call, "exclude", ticket, **body)

    assert world.act(call, "exclude", ticket, **body) == first
    with pytest.raises(AlreadyExcluded):
        world.act(SECRETARY, "exclude", ticket, **body)
    with pytest.raises(NotExcluded):
        world.act(SECRETARY, "include", ticket, rate="response_rate")


def test_only_the_secretary_of_the_area_excludes(world: World) -> None:
    ticket = world.file(REPORTER)
    body = {"rate": "solved_share", "reason": "误报"}

    for call in (CLERK, REPORTER, builders.grid_worker()):
        with pytest.raises(Forbidden):
            world.act(call, "exclude", ticket, **body)
    for call in (builders.secretary("340603008099"), WATER):
        with pytest.raises(UnknownTicket):
            world.act(call, "exclude", ticket, **body)
    with pytest.raises(Forbidden):
        world.act(REPORTER, "exclusions", ticket)


def test_a_reader_outside_learns_not_why_it_was_excluded(world: World) -> None:
    ticket = world.file(REPORTER)
    world.act(SECRETARY, "exclude", ticket, rate="solved_share", reason="误报")

    def last(call: Call) -> Any:
        return world.act(call, "ticket_history", ticket)["items"][-1]["reason"]

    assert (last(CLERK), last(REPORTER)) == ("误报", None)


def test_everybody_sees_the_rates_of_what_is_theirs(world: World) -> None:
    Past(world).then("assign", department="water").resolved().answered()
    Past(world, visibility="public", area=OTHER_GRID)

    def collected(call: Call) -> int:
        return counted(world, call)["solved_share"][1]

    assert [collected(call) for call in (CLERK, SECRETARY)] == [2, 2]
    assert [collected(call) for call in (WATER, ROADS)] == [1, 0]
    assert collected(builders.clerk(E2)) == 1
    assert collected(builders.clerk("340603008099")) == 0
    assert (
        collected(
            builders.person(Role("clerk", area=E2), Role("department_clerk", department="water"))
        )
        == 2
    )
    assert collected(builders.clerk("340603000000")) == 2
    for other in (REPORTER, builders.grid_worker(), builders.anonymous()):
        assert collected(other) == 0


@pytest.mark.parametrize("method", ["rates", "ledger"])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"area": f"{COMMUNITY}.e99"}, "unknown_area"),
        ({"department": "walter"}, "unknown_department"),
    ],
)
def test_a_code_that_there_is_not_is_refused_rather_than_counted_as_zero(
    world: World, method: str, query: Json, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        world.act(CLERK, method, **query)
    assert [each["code"] for each in refused.value.errors] == [code]


@pytest.mark.parametrize("method", ["rates", "ledger"])
def test_the_figures_of_a_place_of_others_are_refused(world: World, method: str) -> None:
    for stranger in (builders.clerk(E2), builders.clerk("340603008099")):
        with pytest.raises(Forbidden):
            world.act(stranger, method, area=E1)


def test_figures_may_be_asked_for_inside_and_around_ones_own_place(world: World) -> None:
    Past(world)
    for place in (GRID, COMMUNITY, "340603000000"):
        assert counted(world, CLERK, area=place)["solved_share"][1] == 1
    assert counted(world, WATER, area=E2)["solved_share"][1] == 0


def test_a_departments_past_number_is_its_list_and_what_others_have_by_now(world: World) -> None:
    kept = Past(world).then("assign", 1, department="water")
    Past(world).then("assign", 1, department="water").then("assign", 5, department="roads")
    query = {**MARCH, "as_of": "2026-03-04", "rate": "solved_share", "part": "denominator"}

    theirs, clerks = (world.act(call, "list_tickets", **query) for call in (WATER, CLERK))

    assert counted(world, WATER, as_of="2026-03-04")["solved_share"][1] == 2
    assert ([item["id"] for item in theirs["items"]], theirs["hidden"]) == ([kept.id], 1)
    assert (len(clerks["items"]), clerks["hidden"]) == (2, 0)
    assert "hidden" not in world.act(CLERK, "list_tickets", **MARCH)


def test_no_list_tells_the_public_what_was_answered(world: World) -> None:
    """What a reporter said is not shown with a public ticket, so no filter may tell it either."""
    public = Past(world, visibility="public").resolved().answered()

    assert behind(world, CLERK, MARCH, "satisfaction_rate", "numerator") == {public.id}
    for other in (REPORTER, builders.anonymous(), builders.clerk("340603008099")):
        assert behind(world, other, MARCH, "satisfaction_rate", "numerator") == set()


@pytest.mark.parametrize(
    "alone", [{"part": "numerator"}, {"as_of": "2026-03-01"}, {"direct": True}]
)
def test_what_only_makes_sense_with_a_rate_is_refused_alone(world: World, alone: Json) -> None:
    with pytest.raises(Exception, match=next(iter(alone))):
        world.act(CLERK, "list_tickets", **alone)


def test_a_list_can_be_of_a_period_without_a_rate(world: World) -> None:
    past = Past(world)
    Past(world, area=E2)

    listed = world.act(CLERK, "list_tickets", **MARCH, area=E1)["items"]

    assert [item["id"] for item in listed] == [past.id]
