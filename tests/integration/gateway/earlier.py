"""A gateway that still serves what another operation has replaced."""

from datetime import date
from typing import Any

from chassis.deprecation import Deprecation
from services.gateway.exchange import Ask
from services.gateway.operation import PUBLIC, operation
from services.gateway.schemas.common import Page, list_of
from services.gateway.schemas.registry import Area
from services.gateway.service import GatewayService

REPLACED = Deprecation(date(2026, 11, 1), date(2027, 5, 1), "/api/v1/areas")


class EarlierGateway(GatewayService):
    """The gateway, with one operation more."""

    @operation(
        "GET",
        "/places",
        policy=PUBLIC,
        query=Page,
        answer=list_of(Area),
        deprecated=REPLACED,
    )
    def list_places(self, ask: Ask) -> Any:
        """The areas, by the name that they had."""
        return {"items": ask.of(self.residents).list_areas({"limit": 1})["items"], "next": "more"}
