"""Tickets in the state that an operation needs: filed by the resident, and moved on by staff to
whoever the role is.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from tests.fuzz.world import Makers, Seed, World, this_month
from tests.stack.clients import Client

STEPS: Mapping[str, tuple[str, ...]] = {
    "filed": (),
    "accepted": ("acceptance",),
    "assigned": ("acceptance", "assignment"),
    "resolved": ("acceptance", "assignment", "resolution"),
}
STATE_FOR: Mapping[str, str] = {
    "assign_ticket": "accepted",
    "start_work": "assigned",
    "send_back_ticket": "assigned",
    "resolve_ticket": "assigned",
    "rate_ticket": "resolved",
    "reopen_ticket": "resolved",
}
"""In which state a ticket must be for an operation to succeed; `filed` for the others."""
COUNTED = {"rate": "resolution_rate"}


class TicketSeeds:
    """The tickets of one role."""

    def __init__(self, world: World) -> None:
        self._world = world
        period = Seed(query=this_month(), once=False)
        self.makers: Makers = {
            "include_ticket": self._excluded,
            "get_rates": lambda: period,
            "get_ledger": lambda: period,
            "list_tickets": lambda: period,
        }

    def ticket(self, operation: str) -> Seed:
        """One that the operation is for."""
        state = STATE_FOR.get(operation, "filed")
        ticket = self._in(state)
        tag = self._world.tag_of(f"tickets/{ticket['id']}")
        named = tag or {"If-Match": f'"{ticket["version"]}"'}
        # Of those that may be named the department will do for everybody.
        whom = {"department": "water", "assignee": None} if state == "accepted" else {}
        return Seed(path={"id": ticket["id"]}, headers=named, body=whom)

    def _in(self, state: str) -> dict[str, Any]:
        ticket = self._world.resident.file(visibility="public")
        for move in STEPS[state]:
            who, body = self._mover(move)
            ticket = who.move(ticket, move, body)
        return ticket

    def _excluded(self) -> Seed:
        ticket = self._in("filed")
        exclusion = {**COUNTED, "reason": "nobody lives there"}
        self._world.secretary.make(f"tickets/{ticket['id']}/exclusion", exclusion)
        return Seed(path={"id": ticket["id"]}, query=COUNTED)

    def _mover(self, move: str) -> tuple[Client, dict[str, Any]]:
        if move == "acceptance":
            return self._world.clerk, {}
        if move == "assignment":
            return self._world.clerk, self._to_us
        return self._holder, {"summary": "done"}

    @cached_property
    def _to_us(self) -> dict[str, Any]:
        if self._world.role in ("grid_worker", "clerk", "secretary", "machine"):
            return {"assignee": self._world.own_id}
        return {"department": "water"}

    @cached_property
    def _holder(self) -> Client:
        world = self._world
        return world.client if "assignee" in self._to_us else world.community.staff("water")
