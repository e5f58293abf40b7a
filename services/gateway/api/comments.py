"""`tickets/{id}/comments`."""

from typing import Any

from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import ticket_answers as answers
from services.gateway.schemas import tickets as schemas
from services.gateway.schemas.common import Page, list_of


class Comments(Capability):
    """Public ones for everyone who may read the ticket, internal ones among staff."""

    @operation(
        "GET",
        "/tickets/<id>/comments",
        policy="read",
        query=Page,
        answer=list_of(answers.Comment),
        errors=("404 unknown_ticket",),
        owner_decides=True,
    )
    def list_comments(self, ask: Ask) -> Any:
        """The comments on a ticket, oldest first."""
        return ask.of(self.tickets).list_comments(ask.command())

    @operation(
        "POST",
        "/tickets/<id>/comments",
        policy="comments",
        body=schemas.NewComment,
        answer=answers.Comment,
        status=201,
        errors=("404 unknown_ticket",),
        owner_decides=True,
    )
    def comment_on_ticket(self, ask: Ask) -> Any:
        """Comment on a ticket."""
        return ask.of(self.tickets).comment(ask.command())
