"""`households`: the people and the dwelling at one door.

The owner decides even about callers who may do none of it: refusals belong in its audit.
"""

from typing import Any

from chassis.errors import NotFound
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import households as schemas
from services.gateway.schemas.common import list_of


class Households(Capability):
    """Community staff and grid workers record them."""

    @operation(
        "GET",
        "/households",
        policy="households.read",
        query=schemas.HouseholdQuery,
        answer=list_of(schemas.Household),
        owner_decides=True,
    )
    def list_households(self, ask: Ask) -> Any:
        """Households, by place."""
        return ask.of(self.residents).list_households(ask.command())

    @operation(
        "POST",
        "/households",
        policy="households.write",
        body=schemas.NewHousehold,
        answer=schemas.Household,
        status=201,
        location="/households/{id}",
        errors=("409 household_exists", "409 residence_overlaps"),
        personal=True,
        owner_decides=True,
    )
    def register_household(self, ask: Ask) -> Any:
        """Register the household at a door, whoever lives there."""
        return ask.of(self.residents).register_household(ask.command())

    @operation(
        "GET",
        "/households/coverage",
        policy="households.read",
        query=schemas.CoverageQuery,
        answer=schemas.Coverage,
        errors=(NotFound,),
        owner_decides=True,
    )
    def household_coverage(self, ask: Ask) -> Any:
        """In how many dwellings of an area people have been recorded, part by part."""
        return ask.of(self.residents).household_coverage(ask.command())

    @operation(
        "GET",
        "/households/<uuid:id>",
        policy="households.read",
        answer=schemas.Household,
        errors=(NotFound,),
        owner_decides=True,
    )
    def get_household(self, ask: Ask) -> Any:
        """One household."""
        return ask.of(self.residents).get_household(ask.command())

    @operation(
        "PATCH",
        "/households/<uuid:id>",
        policy="households.write",
        body=schemas.HouseholdChange,
        answer=schemas.Household,
        if_match="whole, required",
        errors=(NotFound, "409 household_exists", "409 household_is_closed"),
        owner_decides=True,
    )
    def amend_household(self, ask: Ask) -> Any:
        """Change what is recorded of a household."""
        residents = ask.of(self.residents)
        read = ask.compare(lambda: residents.get_household(dict(ask.path)), required=True)
        return residents.amend_household({**ask.command(), "version": read["version"]})

    @operation(
        "POST",
        "/households/<uuid:id>/closure",
        policy="households.write",
        body=schemas.Closure,
        answer=schemas.Household,
        errors=(NotFound, "409 household_is_closed", "409 household_inhabited"),
        personal=True,
        owner_decides=True,
    )
    def close_household(self, ask: Ask) -> Any:
        """Say since when a household is no more, for good."""
        return ask.of(self.residents).close_household(ask.command())
