"""`care-tags`: who needs regular attention, and why. For the secretary alone: to everybody else a
person's tags are not there, whether there are any or not.
"""

from typing import Any

from chassis.errors import NotFound
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import care_tags as schemas
from services.gateway.schemas.common import Page, list_of


class CareTags(Capability):
    """The owner decides about every caller: refusals belong in its audit."""

    @operation(
        "GET",
        "/care-tags/kinds",
        policy="care_tags.read",
        answer=list_of(schemas.CareTagKind),
        owner_decides=True,
    )
    def list_care_tag_kinds(self, ask: Ask) -> Any:
        """The care tags there are."""
        return ask.of(self.residents).care_tag_kinds({})

    @operation(
        "GET",
        "/care-tags",
        policy="care_tags.read",
        query=schemas.CareTagQuery,
        answer=list_of(schemas.CareTagListed),
        owner_decides=True,
    )
    def list_care_tags(self, ask: Ask) -> Any:
        """Who has an open care tag, by place."""
        return ask.of(self.residents).list_care_tags(ask.command())

    @operation(
        "GET",
        "/residents/<uuid:id>/care-tags",
        policy="care_tags.read",
        query=Page,
        answer=list_of(schemas.CareTag),
        errors=(NotFound,),
        owner_decides=True,
    )
    def list_resident_care_tags(self, ask: Ask) -> Any:
        """The care tags of a person, those that have ended too."""
        return ask.of(self.residents).resident_care_tags(ask.command())

    @operation(
        "POST",
        "/residents/<uuid:id>/care-tags",
        policy="care_tags.write",
        body=schemas.NewCareTag,
        answer=schemas.CareTag,
        status=201,
        errors=(NotFound, "409 care_tag_given"),
        secret=True,
        owner_decides=True,
    )
    def give_care_tag(self, ask: Ask) -> Any:
        """Give a person a care tag."""
        return ask.of(self.residents).give_care_tag(ask.command())

    @operation(
        "POST",
        "/residents/<uuid:id>/care-tags/<uuid:care_tag>/ending",
        policy="care_tags.write",
        body=schemas.CareTagEnd,
        answer=schemas.CareTag,
        errors=(NotFound,),
        secret=True,
        owner_decides=True,
    )
    def end_care_tag(self, ask: Ask) -> Any:
        """Say since when a care tag no longer holds."""
        return ask.of(self.residents).end_care_tag(ask.command())
