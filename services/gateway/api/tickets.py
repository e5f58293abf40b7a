"""`tickets`: filing, finding, reading and correcting them."""

from typing import Any

from chassis.errors import Forbidden
from services.gateway import tokens
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import ticket_answers as answers
from services.gateway.schemas import tickets as schemas
from services.gateway.schemas.common import Page, list_of


class Tickets(Capability):
    """Anybody files; who may see and correct one is for tickets to say."""

    @operation(
        "POST",
        "/tickets",
        policy="file",
        body=schemas.NewTicket,
        answer=answers.Ticket,
        status=201,
        location="/tickets/{id}",
        rate="anonymous_filing",
    )
    def file_ticket(self, ask: Ask) -> Any:
        """File a ticket."""
        command = {**ask.body, **_parties(self, ask)}
        return ask.of(self.tickets).file_ticket(command)

    @operation(
        "GET",
        "/tickets",
        policy="read",
        query=schemas.TicketQuery,
        answer=answers.TicketsFound,
    )
    def list_tickets(self, ask: Ask) -> Any:
        """The tickets that one may see, filtered and sorted."""
        return ask.of(self.tickets).list_tickets(ask.command())

    @operation(
        "GET",
        "/tickets/call-list",
        policy="call-list",
        query=schemas.CallListQuery,
        answer=list_of(answers.Ticket),
    )
    def list_calls(self, ask: Ask) -> Any:
        """The tickets whose reporters have not answered yet whether they are solved, longest
        waiting first.
        """
        return ask.of(self.tickets).call_list(ask.command())

    @operation(
        "GET",
        "/tickets/<id>",
        policy="read",
        answer=answers.Ticket,
        errors=("404 unknown_ticket",),
        owner_decides=True,
    )
    def get_ticket(self, ask: Ask) -> Any:
        """One ticket, by id or number."""
        return ask.of(self.tickets).get_ticket(ask.command())

    @operation(
        "PATCH",
        "/tickets/<id>",
        policy="amendment",
        body=schemas.TicketChange,
        answer=answers.Ticket,
        if_match="whole, required",
        errors=("404 unknown_ticket",),
        owner_decides=True,
    )
    def amend_ticket(self, ask: Ask) -> Any:
        """Correct category, title, location or visibility."""
        tickets = ask.of(self.tickets)
        read = ask.compare(lambda: tickets.get_ticket(dict(ask.path)), required=True)
        # Between that look and this change nobody else's may slip in.
        return tickets.amend({**ask.command(), "if_sequence": read["sequence"]})

    @operation(
        "GET",
        "/tickets/<id>/history",
        policy="read",
        query=Page,
        answer=list_of(answers.HistoryEntry),
        errors=("404 unknown_ticket",),
        owner_decides=True,
    )
    def get_history(self, ask: Ask) -> Any:
        """Every change of a ticket, oldest first."""
        return ask.of(self.tickets).ticket_history(ask.command())

    @operation(
        "GET",
        "/tickets/<id>/suggestion",
        policy="assignment",
        answer=answers.Suggestion,
        errors=("404 unknown_ticket",),
        owner_decides=True,
    )
    def suggest_assignment(self, ask: Ask) -> Any:
        """Who might solve a ticket: its category's department, and the nearest grid worker."""
        return ask.of(self.tickets).suggest(ask.command())


def _parties(service: Any, ask: Ask) -> dict[str, Any]:
    """Who speaks and for whom, by id: whoever is given by phone becomes known to the registry,
    unless the filing would be refused.
    """
    told = {role: ask.body.get(role) for role in ("reporter", "on_behalf_of")}
    given = {role: party for role, party in told.items() if party}
    known = True
    if any("phone" in party for party in given.values()):
        nameless = {field: value for field, value in ask.body.items() if field not in told}
        known = not ask.of(service.tickets).may_file(nameless)["on_behalf"]
    return {role: _party(service, ask, party, known) for role, party in given.items()}


def _party(service: Any, ask: Ask, party: dict[str, str], known: bool) -> dict[str, str]:
    """The party as tickets knows it; `known`: who is known already. Raises Forbidden, RateExceeded,
    Unavailable.
    """
    anonymous = ask.caller.kind == "anonymous"
    if "resident" in party:
        # An id is no proof of knowing somebody.
        if anonymous:
            raise Forbidden()
        return party
    if anonymous:
        _count_phone(service, party["phone"])
    found = ask.of(service.residents).ensure_resident({**party, "known": known})
    if found["id"] is None:
        # As tickets says of somebody who is known, but not the caller.
        raise Forbidden(operation="file_on_behalf")
    return {"resident": found["id"]}


def _count_phone(service: Any, phone: str) -> None:
    """Nobody shall have a stranger's phone ring all day with receipts."""
    digest = tokens.keyed_digest(service.gate.settings.secret, "reporter", phone)
    service.gate.limits.count("anonymous_phone", digest.hex())
