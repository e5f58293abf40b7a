"""`residents`: the register, masked. Numbers to look for come in a body, for a URL ends in logs.

The owner decides even about callers who may do none of it to anybody: refusals belong in its audit.
"""

from typing import Any
from uuid import UUID

from chassis.clock import now
from chassis.errors import NotFound
from services.gateway.accounts import LastAdministrator, check_not_last
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import personal
from services.gateway.schemas import registry as schemas
from services.gateway.schemas.common import list_of


class Residents(Capability):
    """Staff register and look up; everybody may see and amend themselves."""

    @operation(
        "GET",
        "/residents",
        policy="residents.read",
        query=schemas.ResidentQuery,
        answer=list_of(schemas.ResidentListed),
        owner_decides=True,
    )
    def list_residents(self, ask: Ask) -> Any:
        """Residents, masked."""
        return ask.of(self.residents).find_residents(ask.command())

    @operation(
        "POST",
        "/residents/searches",
        policy="residents.read",
        body=schemas.ResidentSearch,
        answer=list_of(schemas.ResidentListed),
        secret=True,
        owner_decides=True,
    )
    def search_residents(self, ask: Ask) -> Any:
        """Residents by name, or by a whole phone or ID number, masked."""
        return ask.of(self.residents).find_residents(ask.command())

    @operation(
        "POST",
        "/residents",
        policy="residents.write",
        body=schemas.NewResident,
        answer=schemas.Resident,
        status=201,
        location="/residents/{id}",
        errors=("403 numbers_of_staff", "409 resident_exists"),
        personal=True,
        owner_decides=True,
    )
    def register_resident(self, ask: Ask) -> Any:
        """Put a person on the register."""
        return ask.of(self.residents).register_resident(ask.command())

    @operation(
        "GET",
        "/residents/<uuid:id>",
        policy="residents.read",
        answer=schemas.Resident,
        errors=(NotFound,),
        owner_decides=True,
    )
    def get_resident(self, ask: Ask) -> Any:
        """One person, masked."""
        return ask.of(self.residents).get_resident(ask.command())

    @operation(
        "POST",
        "/residents/<uuid:id>/disclosures",
        policy="residents.disclose",
        body=personal.NewDisclosure,
        answer=personal.Disclosure,
        errors=(NotFound,),
        secret=True,
        owner_decides=True,
        caller_rate="disclosures",
    )
    def disclose(self, ask: Ask) -> Any:
        """Some of a person's data in full, this once, for a reason that stays in the audit."""
        return ask.of(self.residents).disclose(ask.command())

    @operation(
        "POST",
        "/residents/<uuid:id>/erasure",
        policy="residents.erase",
        body=personal.NewErasure,
        answer=personal.Erasure,
        errors=(NotFound, "409 on_duty", LastAdministrator),
        owner_decides=True,
    )
    def erase_resident(self, ask: Ask) -> Any:
        """Forget who a person is, for good; that there was somebody stays, for the figures."""
        # Whoever may not erase them learns nothing of who administers.
        own = (ask.caller.kind, ask.caller.id) == ("person", ask.path["id"])
        if own or "residents.erase" in ask.call.may(lambda granted: granted == "any"):
            with self.db.read() as session:
                check_not_last(session, UUID(ask.path["id"]), now())
        return ask.of(self.residents).erase_resident(ask.command())

    @operation(
        "PATCH",
        "/residents/<uuid:id>",
        policy="residents.write",
        body=schemas.ResidentChange,
        answer=schemas.Resident,
        if_match="whole",
        errors=(NotFound, "403 numbers_of_staff", "409 resident_exists"),
        owner_decides=True,
    )
    def amend_resident(self, ask: Ask) -> Any:
        """Change what is recorded of a person."""
        residents = ask.of(self.residents)
        ask.compare(lambda: residents.get_resident(dict(ask.path)))
        return residents.amend_resident(ask.command())
