"""`residents/{id}/consents`, what people agree to, and `residents/{id}/export`, all that is held on
them.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from chassis.call import system_call
from chassis.errors import NotFound
from services.gateway import erasure
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import personal as schemas
from services.gateway.schemas.common import Page, list_of


class PersonalData(Capability):
    """Everybody for themselves; staff write down what residents of their area agree to."""

    @operation(
        "GET",
        "/residents/<uuid:id>/consents",
        policy="residents.read",
        query=Page,
        answer=list_of(schemas.Consent),
        errors=(NotFound,),
        owner_decides=True,
    )
    def list_consents(self, ask: Ask) -> Any:
        """What a person agreed to and took back, oldest first."""
        return ask.of(self.residents).list_consents(ask.command())

    @operation(
        "POST",
        "/residents/<uuid:id>/consents",
        policy="residents.consent",
        body=schemas.NewConsent,
        answer=schemas.Consent,
        status=201,
        errors=(NotFound, "409 consent_given"),
        owner_decides=True,
    )
    def give_consent(self, ask: Ask) -> Any:
        """Note that a person agrees to a purpose."""
        return ask.of(self.residents).give_consent(ask.command())

    @operation(
        "POST",
        "/residents/<uuid:id>/consents/<uuid:consent>/withdrawal",
        policy="residents.consent",
        answer=schemas.Consent,
        errors=(NotFound,),
        owner_decides=True,
    )
    def withdraw_consent(self, ask: Ask) -> Any:
        """Note that a person takes a consent back; it stays in their history."""
        return ask.of(self.residents).withdraw_consent(ask.command())

    @operation(
        "GET",
        "/residents/<uuid:id>/export",
        policy="residents.export",
        answer=schemas.Export,
        errors=(NotFound,),
        secret=True,
        owner_decides=True,
        caller_rate="disclosures",
    )
    def export_resident(self, ask: Ask) -> Any:
        """All that is held on a person; their words in tickets are for themselves only."""
        held = ask.of(self.residents).export_resident(ask.command())
        with self.db.read() as session:
            signing_in = erasure.held_on(session, UUID(ask.path["id"]))
        caller = ask.call.actor
        own = (caller.kind, caller.id) == ("person", ask.path["id"])
        words = {"words": True} if own else {}
        tickets, told = _all(ask, self.tickets, **words), _all(ask, self.notifications)
        return {
            **held,
            "tickets": tickets["items"],
            "notifications": told["items"],
            "preferences": told["preferences"],
            "signing_in": signing_in,
        }


def _all(ask: Ask, service: Callable[..., Any], **wanted: Any) -> dict[str, Any]:
    """Every reference that a service has to the person, page by page, in the first of its answers.
    The register has said by now that the caller may have them; whoever is away or too slow makes
    it a 503.
    """
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"person": ask.path["id"], **wanted}
    while True:
        call = system_call("gateway", ask.call.traceparent)
        page = service(call, deadline=ask.deadline()).held_on(query)
        found += page["items"]
        if page["next"] is None:
            return {**page, "items": found}
        query["after"] = page["next"]
