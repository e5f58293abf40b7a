"""`households/{id}/members`: who lives where, and who did."""

from typing import Any

from chassis.errors import NotFound
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import households as schemas
from services.gateway.schemas.common import list_of

_OVERLAPS = ("409 already_member", "409 head_exists", "409 residence_overlaps")


class Members(Capability):
    """Whoever records households says who lives in them; people see their own."""

    @operation(
        "GET",
        "/households/<uuid:household>/members",
        policy="households.read",
        query=schemas.StayQuery,
        answer=list_of(schemas.MemberListed),
        errors=(NotFound,),
        owner_decides=True,
    )
    def list_members(self, ask: Ask) -> Any:
        """Who lives in a household, or did; names masked."""
        return ask.of(self.residents).list_members(ask.command())

    @operation(
        "POST",
        "/households/<uuid:household>/members",
        policy="households.write",
        body=schemas.NewMember,
        answer=schemas.Member,
        status=201,
        errors=(NotFound, "409 household_is_closed", *_OVERLAPS),
        owner_decides=True,
    )
    def move_in(self, ask: Ask) -> Any:
        """Say that somebody has moved into a household, or has moved from another one."""
        return ask.of(self.residents).move_in(ask.command())

    @operation(
        "PATCH",
        "/households/<uuid:household>/members/<uuid:id>",
        policy="households.write",
        body=schemas.MemberChange,
        answer=schemas.Member,
        errors=(NotFound, "409 household_is_closed", "409 head_exists"),
        owner_decides=True,
    )
    def amend_member(self, ask: Ask) -> Any:
        """Correct what somebody is to the head of their household."""
        return ask.of(self.residents).amend_member(ask.command())

    @operation(
        "POST",
        "/households/<uuid:household>/members/<uuid:id>/departure",
        policy="households.write",
        body=schemas.Departure,
        answer=schemas.Member,
        errors=(NotFound, *_OVERLAPS),
        owner_decides=True,
    )
    def move_out(self, ask: Ask) -> Any:
        """Say that somebody has moved out, or correct the day."""
        return ask.of(self.residents).move_out(ask.command())

    @operation(
        "GET",
        "/residents/<uuid:id>/households",
        policy="residents.read",
        query=schemas.StayQuery,
        answer=list_of(schemas.Member),
        errors=(NotFound,),
        owner_decides=True,
    )
    def list_homes(self, ask: Ask) -> Any:
        """Where somebody lives, or did."""
        return ask.of(self.residents).list_homes(ask.command())
