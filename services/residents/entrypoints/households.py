"""What residents accepts and answers about households."""

from typing import Any

from chassis.call import Call
from chassis.database import Database
from chassis.rpc import rpc
from chassis.schemas import load
from services.residents import coverage
from services.residents import household_queries as queries
from services.residents import household_schemas as schemas
from services.residents.commands import households, members
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
        wanted = load(schemas.RegisterHousehold, command)
        with self.db.transaction() as session:
            return households.register(session, self.call, self.vault, wanted)

    @rpc
    def amend_household(self, command: Json) -> Json:
        """Change what is recorded of a household and return it. Raises Invalid (unknown or unfit
        area), HouseholdExists, HouseholdClosed, Stale.
        """
        wanted = load(schemas.AmendHousehold, command)
        with self.db.transaction() as session:
            return households.amend(session, self.call, self.vault, wanted)

    @rpc
    def close_household(self, command: Json) -> Json:
        """Set the last day of a household and return it. Raises Invalid (before_start, a day to
        come), HouseholdClosed.
        """
        wanted = load(schemas.CloseHousehold, command)
        with self.db.transaction() as session:
            return households.close(session, self.call, self.vault, wanted)

    @rpc
    def get_household(self, query: Json) -> Json:
        """The household with an `id`."""
        wanted = load(schemas.HouseholdRef, query)
        with self.db.transaction() as session:
            return queries.household(session, self.call, self.vault, wanted["id"])

    @rpc
    def list_households(self, query: Json) -> Json:
        """A page of households, by place."""
        wanted = load(schemas.ListHouseholds, query)
        with self.db.transaction() as session:
            return queries.households(session, self.call, self.vault, wanted)

    @rpc
    def household_coverage(self, query: Json) -> Json:
        """How many dwellings of an area have been recorded, and of each place in it."""
        wanted = load(schemas.Coverage, query)
        with self.db.transaction() as session:
            return coverage.coverage(session, self.call, wanted)

    @rpc
    def move_in(self, command: Json) -> Json:
        """Record that somebody lives in a household and return the stay. Raises Invalid,
        HouseholdIsClosed, AlreadyMember, HeadExists, ResidenceOverlaps.
        """
        wanted = load(schemas.MoveIn, command)
        with self.db.transaction() as session:
            return members.move_in(session, self.call, wanted)

    @rpc
    def move_out(self, command: Json) -> Json:
        """Set the last day of a stay and return it. Raises Invalid, AlreadyMember, HeadExists,
        ResidenceOverlaps.
        """
        wanted = load(schemas.MoveOut, command)
        with self.db.transaction() as session:
            return members.move_out(session, self.call, wanted)

    @rpc
    def amend_member(self, command: Json) -> Json:
        """Correct what somebody is in a household and return the stay. Raises HouseholdIsClosed,
        HeadExists.
        """
        wanted = load(schemas.AmendMember, command)
        with self.db.transaction() as session:
            return members.amend(session, self.call, wanted)

    @rpc
    def list_members(self, query: Json) -> Json:
        """A page of the stays in a household, names masked."""
        wanted = load(schemas.HouseholdMembers, query)
        with self.db.transaction() as session:
            return queries.members(session, self.call, self.vault, wanted)

    @rpc
    def list_homes(self, query: Json) -> Json:
        """A page of the stays of the person with an `id`: who lived where, from when to when."""
        wanted = load(schemas.ResidentHouseholds, query)
        with self.db.transaction() as session:
            return queries.homes(session, self.call, wanted)
