"""`audit`: who used personal data, or was refused it."""

from typing import Any

from chassis.errors import NotFound
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import audit as schemas
from services.gateway.schemas.common import list_of


class Audit(Capability):
    """Administrators see all of it, secretaries their community's, everybody what concerns them."""

    @operation(
        "GET",
        "/audit",
        policy="residents.audit",
        query=schemas.AuditQuery,
        answer=list_of(schemas.AuditEntry),
        owner_decides=True,
    )
    def list_audit(self, ask: Ask) -> Any:
        """Uses of personal data and refusals, newest first."""
        return ask.of(self.residents).list_audit(ask.command())

    @operation(
        "GET",
        "/residents/<uuid:id>/audit",
        policy="residents.audit",
        query=schemas.ResidentAuditQuery,
        answer=list_of(schemas.AuditEntry),
        errors=(NotFound,),
        owner_decides=True,
    )
    def list_resident_audit(self, ask: Ask) -> Any:
        """What was done with one person's data, newest first."""
        return ask.of(self.residents).resident_audit(ask.command())
