"""What residents accepts and answers about care tags."""

from typing import Any

from chassis.call import Call
from chassis.database import Database
from chassis.rpc import rpc
from chassis.schemas import load
from services.residents.care import commands, queries, schemas
from services.residents.vault import Vault

Json = dict[str, Any]


class CareTags:
    """Commands and queries of the service that has these dependencies."""

    db: Database
    call: Call
    vault: Vault

    @rpc
    def care_tag_kinds(self, query: Json) -> Json:
        """The care tags there are, with their names."""
        load(schemas.CareTagKinds, query)
        return queries.kinds(self.call)

    @rpc
    def list_care_tags(self, query: Json) -> Json:
        """A page of people's open care tags, by place."""
        wanted = load(schemas.ListCareTags, query)
        with self.db.transaction() as session:
            return queries.in_area(session, self.call, wanted)

    @rpc
    def resident_care_tags(self, query: Json) -> Json:
        """A page of the care tags of the person with an `id`, with their notes."""
        wanted = load(schemas.ResidentCareTags, query)
        with self.db.transaction() as session:
            return queries.of_resident(session, self.call, self.vault, wanted)

    @rpc
    def give_care_tag(self, command: Json) -> Json:
        """Give a person a care tag and return it. Raises Invalid (a day to come), CareTagGiven."""
        wanted = load(schemas.GiveCareTag, command)
        with self.db.transaction() as session:
            return commands.give(session, self.call, self.vault, wanted)

    @rpc
    def end_care_tag(self, command: Json) -> Json:
        """Set the last day of a care tag and return it. Raises Invalid."""
        wanted = load(schemas.EndCareTag, command)
        with self.db.transaction() as session:
            return commands.end(session, self.call, self.vault, wanted)
