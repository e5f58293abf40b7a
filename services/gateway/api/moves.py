"""The moves of a ticket, each a sub-resource of it. Whether one is legal is for tickets to say."""

from collections.abc import Callable
from typing import Any

from marshmallow import Schema

from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import ticket_answers as answers
from services.gateway.schemas import tickets as schemas


def move(
    name: str, body: type[Schema], *, versioned: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An operation that moves a ticket and answers with it; `versioned`: it needs If-Match."""
    return operation(
        "POST",
        f"/tickets/<id>/{name}",
        policy=name,
        body=body,
        answer=answers.Ticket,
        if_match="version, required" if versioned else "version",
        errors=("404 unknown_ticket", "409 illegal_move"),
        owner_decides=True,
    )


class Moves(Capability):
    """Each answers with the ticket as it stands then."""

    @move("acceptance", schemas.Dated)
    def accept_ticket(self, ask: Ask) -> Any:
        """Accept a ticket."""
        return ask.of(self.tickets).accept(_command(ask))

    @move("refusal", schemas.Refusal)
    def refuse_ticket(self, ask: Ask) -> Any:
        """Refuse a ticket."""
        return ask.of(self.tickets).refuse(_command(ask))

    @move("assignment", schemas.Assignment)
    def assign_ticket(self, ask: Ask) -> Any:
        """Assign a ticket to a department or a person."""
        return ask.of(self.tickets).assign(_command(ask))

    @move("work", schemas.Dated)
    def start_work(self, ask: Ask) -> Any:
        """Start work on a ticket, and be responsible for it."""
        return ask.of(self.tickets).start_work(_command(ask))

    @move("send-back", schemas.Reasoned)
    def send_back_ticket(self, ask: Ask) -> Any:
        """Send a ticket back to the community."""
        return ask.of(self.tickets).send_back(_command(ask))

    @move("resolution", schemas.Resolution)
    def resolve_ticket(self, ask: Ask) -> Any:
        """Say what was done about a ticket."""
        return ask.of(self.tickets).resolve(_command(ask))

    @move("follow-up", schemas.FollowUp, versioned=False)
    def rate_ticket(self, ask: Ask) -> Any:
        """Say whether one's ticket is solved; it is closed or opened again."""
        return ask.of(self.tickets).rate(_command(ask))

    @move("reopening", schemas.Reasoned, versioned=False)
    def reopen_ticket(self, ask: Ask) -> Any:
        """Open a resolved or closed ticket again."""
        return ask.of(self.tickets).reopen(_command(ask))

    @move("withdrawal", schemas.Reasoned, versioned=False)
    def withdraw_ticket(self, ask: Ask) -> Any:
        """Withdraw one's ticket."""
        return ask.of(self.tickets).withdraw(_command(ask))


def _command(ask: Ask) -> dict[str, Any]:
    return {**ask.command(), "if_match": ask.version()}
