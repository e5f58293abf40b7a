"""What residents accepts and answers about households."""

from typing import Any

from chassis.call import Call
from chassis.database import Database
from chassis.rpc import rpc
from services.residents import household_queries as queries
from services.residents import household_schemas as schemas
from services.residents.commands import households
from services.residents.vault import Vault

Json = dict[str, Any]


class Households:
    """Commands and queries of the service that has these dependencies."""

    db: Database
    call: Call
    vault: Vault

    @rpc
    def register_household(self, command: Json) -> Json:
        """Register a household and return it. Raises Invalid (unknown or unfit area, a day to
        come), HouseholdExists.
        """
        wanted = schemas.RegisterHousehold().load(command)
        with self.db.transaction() as session:
            return households.register(session, self.call, self.vault, wanted)

    @rpc
    def amend_household(self, command: Json) -> Json:
        """Change what is recorded of a household and return it. Raises Invalid (unknown or unfit
        area), HouseholdExists, HouseholdClosed, Stale.
        """
        wanted = schemas.AmendHousehold().load(command)
        with self.db.transaction() as session:
            return households.amend(session, self.call, self.vault, wanted)

    @rpc
    def close_household(self, command: Json) -> Json:
        """Set the last day of a household and return it. Raises Invalid (before_start, a day to
        come), HouseholdClosed.
        """
        wanted = schemas.CloseHousehold().load(command)
        with self.db.transaction() as session:
            return households.close(session, self.call, self.vault, wanted)

    @rpc
    def get_household(self, query: Json) -> Json:
        """The household with an `id`."""
        wanted = schemas.HouseholdRef().load(query)
        with self.db.transaction() as session:
            return queries.household(session, self.call, self.vault, wanted["id"])

    @rpc
    def list_households(self, query: Json) -> Json:
        """A page of households, by place."""
        wanted = schemas.ListHouseholds().load(query)
        with self.db.transaction() as session:
            return queries.households(session, self.call, self.vault, wanted)
