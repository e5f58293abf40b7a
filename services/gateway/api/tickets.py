"""`tickets`: filing, finding, reading and correcting them."""

from typing import Any

from services.gateway import parties
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
        command = {**ask.body, **parties.known(self, ask, ask.body)}
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
