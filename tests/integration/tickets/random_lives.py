"""Requests of one March, moved along by random people as far as chance will have it, legally."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from chassis import clock
from chassis.call import Call
from services.gateway.policy import Role
from tests.integration.tickets.world import BUILDING, E1, E2, OTHER_GRID, World, filing
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY, GRID

CATEGORIES = (
    *("water.burst_pipe", "water.quality", "roads.pothole", "roads.barrier_free"),
    *("housing.roof_leak", "property.fees"),
)
CHANNELS = ("page", "phone", "fair", "home_visit")
PLACES = (COMMUNITY, E1, GRID, BUILDING, E2, OTHER_GRID)
RATES = ("solved_share", "response_rate", "resolution_rate", "satisfaction_rate")
PEOPLE = {
    "clerk": Role("clerk", area=COMMUNITY),
    "secretary": Role("secretary", area=COMMUNITY),
    "water": Role("department_clerk", department="water"),
    "roads": Role("department_clerk", department="roads"),
}
IDS = {name: str(builders.new_id()) for name in PEOPLE}
Move = tuple[str, str, dict[str, Any]]


class Life:
    """One ticket and the time it has come to."""

    def __init__(self, world: World, chance: Random) -> None:
        self.world, self.chance = world, chance
        start = datetime(2026, 3, 1, tzinfo=clock.ZONE)
        self.now = start + timedelta(minutes=chance.randrange(30 * 24 * 60))
        self.reporter = str(builders.new_id())
        self.excluded: set[str] = set()
        who = chance.choice(["reporter", "reporter", "clerk"])
        body = filing(
            category=chance.choice(CATEGORIES),
            channel=chance.choice(CHANNELS),
            area=chance.choice(PLACES),
            visibility=chance.choice(["public", "private"]),
            reporter={"resident": self.reporter},
        )
        self.ticket = world.act_then(self.caller(who), "file_ticket", body)

    def live(self) -> None:
        """Move on until chance has it end."""
        for _ in range(self.chance.randrange(12)):
            moves = self.moves()
            if not moves and self.chance.random() < 0.7:
                return
            if self.chance.random() < 0.1 or not moves:
                moves = self.asides()
            self.make(*self.chance.choice(moves))

    def make(self, who: str, method: str, body: dict[str, Any]) -> None:
        self.now += timedelta(minutes=self.chance.choice([0, 5, 50, 500, 5000]))
        versioned = method in ("accept", "refuse", "assign", "start_work", "send_back", "resolve")
        told = {"if_match": self.ticket["version"]} if versioned else {}
        call = self.caller(who)
        answer = self.world.act_then(call, method, {"id": self.ticket["id"], **told, **body})
        if "state" in answer:
            self.ticket = answer

    def caller(self, who: str) -> Call:
        roles = (PEOPLE[who],) if who in PEOPLE else ()
        id = IDS.get(who, self.reporter)
        return builders.person(
            *roles, Role("machine"), id=id, occurred_at=self.now, command_id=str(builders.new_id())
        )

    def moves(self) -> list[Move]:
        """What may come next by the table of states, and who does it."""
        return MOVES[self.ticket["state"]](self)

    def asides(self) -> list[Move]:
        """What moves it nowhere."""
        rate = self.chance.choice(RATES)
        counts_again = rate in self.excluded
        self.excluded ^= {rate}
        method, why = ("include", {}) if counts_again else ("exclude", {"reason": "误报"})
        return [("secretary", method, {"rate": rate, **why})]

    def correction(self) -> Move:
        return "clerk", "amend", {"category": self.chance.choice(CATEGORIES)}

    def holder(self) -> str:
        return self.ticket["department"] or "clerk"


def filed(life: Life) -> list[Move]:
    return [
        *[("clerk", "accept", {})] * 6,
        ("clerk", "refuse", {"reason": "不归我们"}),
        ("reporter", "withdraw", {"reason": "不用了"}),
        life.correction(),
    ]


def accepted(life: Life) -> list[Move]:
    # Whoever accepted it has it; what came back twice is the secretary's to assign.
    by_clerk = life.ticket["send_backs"] < 2 and life.ticket["holder"]["id"] == IDS["clerk"]
    return [
        ("secretary", "assign", {"department": "water"}),
        ("secretary", "assign", {"department": "roads"}),
        *([("clerk", "resolve", {"summary": "修好了"})] if by_clerk else []),
        ("secretary", "refuse", {"reason": "不归我们"}),
        life.correction(),
    ]


def assigned(life: Life) -> list[Move]:
    if life.ticket["department"] is None:
        return [("clerk", "start_work", {}), ("clerk", "resolve", {"summary": "修好了"})]
    return [
        (life.holder(), "start_work", {}),
        (life.holder(), "send_back", {"reason": "不归我们"}),
        *[(life.holder(), "resolve", {"summary": "修好了"})] * 3,
        ("reporter", "withdraw", {"reason": "不用了"}),
    ]


def in_progress(life: Life) -> list[Move]:
    return [
        *[(life.holder(), "resolve", {"summary": "修好了"})] * 4,
        (life.holder(), "send_back", {"reason": "不归我们"}),
        life.correction(),
    ]


def resolved(life: Life) -> list[Move]:
    contacted = life.chance.choice([None, None, "yes", "no"])
    answers = [
        {"solved": "yes", "satisfied": "yes"},
        {"solved": "yes", "satisfied": "no"},
        {"solved": "partly", "satisfied": "yes"},
        {"solved": "partly", "satisfied": "no", "reopen": True},
        {"solved": "no", "satisfied": "no"},
    ]
    return [
        *[("reporter", "rate", {**answer, "contacted": contacted}) for answer in answers],
        ("clerk", "rate", {"solved": "yes", "satisfied": "no_answer", "contacted": contacted}),
        ("clerk", "rate", {"solved": "unreachable", "satisfied": "no_answer"}),
        ("secretary", "reopen", {"reason": "又坏了"}),
    ]


def closed(life: Life) -> list[Move]:
    return [("reporter", "reopen", {"reason": "又坏了"})]


def over(_life: Life) -> list[Move]:
    return []


MOVES: dict[str, Callable[[Life], list[Move]]] = {
    "filed": filed,
    "accepted": accepted,
    "assigned": assigned,
    "in_progress": in_progress,
    "resolved": resolved,
    "closed": closed,
    "refused": over,
    "withdrawn": over,
}
