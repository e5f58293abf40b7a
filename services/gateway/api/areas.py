"""`areas`: the place tree."""

from typing import Any

from chassis.errors import NotFound
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import registry as schemas
from services.gateway.schemas.common import Page, list_of


class Areas(Capability):
    """Everybody may look; administrators add and rename."""

    @operation(
        "GET", "/areas", policy="areas.read", query=schemas.AreaQuery, answer=list_of(schemas.Area)
    )
    def list_areas(self, ask: Ask) -> Any:
        """Places, nearest first."""
        return ask.of(self.residents).list_areas(ask.command())

    @operation(
        "POST",
        "/areas",
        policy="areas.write",
        body=schemas.NewArea,
        answer=schemas.Area,
        status=201,
        location="/areas/{code}",
        errors=("409 area_exists",),
    )
    def add_area(self, ask: Ask) -> Any:
        """Add a place; its parent must be there, or be official."""
        return ask.of(self.residents).add_area(ask.command())

    @operation(
        "GET",
        "/areas/official",
        policy="areas.read",
        query=schemas.OfficialQuery,
        answer=list_of(schemas.OfficialArea),
    )
    def search_official_areas(self, ask: Ask) -> Any:
        """Official areas of the country by code or name, those called so first."""
        return ask.of(self.residents).search_official_areas(ask.command())

    @operation("GET", "/areas/<code>", policy="areas.read", answer=schemas.Area, errors=(NotFound,))
    def get_area(self, ask: Ask) -> Any:
        """One place."""
        return ask.of(self.residents).get_area(ask.command())

    @operation(
        "PATCH",
        "/areas/<code>",
        policy="areas.write",
        body=schemas.AreaChange,
        answer=schemas.Area,
        if_match="whole",
        errors=(NotFound,),
    )
    def rename_area(self, ask: Ask) -> Any:
        """Give a place another name."""
        residents = ask.of(self.residents)
        ask.compare(lambda: residents.get_area(dict(ask.path)))
        return residents.rename_area(ask.command())

    @operation(
        "GET",
        "/areas/<code>/children",
        policy="areas.read",
        query=Page,
        answer=list_of(schemas.Area),
        errors=(NotFound,),
    )
    def list_children(self, ask: Ask) -> Any:
        """The places right below one."""
        return ask.of(self.residents).area_children(ask.command())
