"""What residents accepts and answers about the protection of personal data."""

from typing import Any

from chassis.call import Call
from chassis.database import Database
from chassis.rpc import rpc
from chassis.schemas import load
from services.residents import audit_trail, export, queries
from services.residents import personal_schemas as schemas
from services.residents.commands import consents, erasing
from services.residents.schemas import ResidentRef
from services.residents.vault import Vault

Json = dict[str, Any]


class PersonalData:
    """Commands and queries of the service that has these dependencies."""

    db: Database
    call: Call
    vault: Vault

    @rpc
    def erase_resident(self, command: Json) -> Json:
        """Forget who the person with an `id` is, for good, for a `reason`, which only they
        themselves may leave out; `{id, erased_at}`. Raises Invalid (required), OnDuty.
        """
        wanted = load(schemas.Erase, command)
        with self.db.transaction() as session:
            return erasing.erase(session, self.call, wanted)

    @rpc
    def disclose(self, query: Json) -> Json:
        """Some `fields` of the person with an `id`, in plain text, for a `reason`."""
        wanted = load(schemas.Disclose, query)
        with self.db.transaction() as session:
            return queries.disclosure(session, self.call, self.vault, wanted)

    @rpc
    def list_audit(self, query: Json) -> Json:
        """A page of the audit within what the caller may see of it, newest first."""
        wanted = load(schemas.ListAudit, query)
        with self.db.transaction() as session:
            return audit_trail.entries(session, self.call, wanted)

    @rpc
    def resident_audit(self, query: Json) -> Json:
        """A page of what was done with the data of the person with an `id`, newest first."""
        wanted = load(schemas.ResidentAudit, query)
        with self.db.transaction() as session:
            return audit_trail.of_resident(session, self.call, wanted)

    @rpc
    def give_consent(self, command: Json) -> Json:
        """Note that the person with an `id` agrees to a `purpose`. Raises ConsentGiven."""
        wanted = load(schemas.Consent, command)
        with self.db.transaction() as session:
            return consents.give(session, self.call, wanted)

    @rpc
    def withdraw_consent(self, command: Json) -> Json:
        """Note that the person with an `id` takes a `consent` back."""
        wanted = load(schemas.Withdraw, command)
        with self.db.transaction() as session:
            return consents.withdraw(session, self.call, wanted)

    @rpc
    def list_consents(self, query: Json) -> Json:
        """A page of what the person with an `id` agreed to and took back."""
        wanted = load(schemas.Consents, query)
        with self.db.transaction() as session:
            return consents.history(session, self.call, wanted)

    @rpc
    def export_resident(self, query: Json) -> Json:
        """Everything that is held here on the person with an `id`, in plain text."""
        wanted = load(ResidentRef, query)
        with self.db.transaction() as session:
            return export.of_resident(session, self.call, self.vault, wanted["id"])
