"""`inbox`: what a person was told; `deliveries`: what became of messages."""

from typing import Any

from chassis.errors import NotFound
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import inbox as schemas
from services.gateway.schemas.common import list_of


class Inbox(Capability):
    """Everybody has their own."""

    @operation(
        "GET",
        "/inbox",
        policy="inbox.read",
        query=schemas.InboxQuery,
        answer=list_of(schemas.Message),
        errors=("403 no_inbox",),
    )
    def list_inbox(self, ask: Ask) -> Any:
        """One's messages, newest first."""
        return ask.of(self.notifications).list_inbox(ask.command())

    @operation("GET", "/inbox/unread", policy="inbox.read", answer=schemas.Unread)
    def count_unread(self, ask: Ask) -> Any:
        """How many of one's messages are unread."""
        return ask.of(self.notifications).unread_count({})

    @operation(
        "PATCH",
        "/inbox/<uuid:id>",
        policy="inbox.write",
        body=schemas.MessageRead,
        answer=schemas.Message,
        errors=(NotFound, "404 unknown_notification"),
    )
    def mark_read(self, ask: Ask) -> Any:
        """Mark a message as read."""
        return ask.of(self.notifications).mark_read(dict(ask.path))

    @operation(
        "GET",
        "/deliveries",
        policy="deliveries.read",
        query=schemas.DeliveryQuery,
        answer=list_of(schemas.Delivery),
    )
    def list_deliveries(self, ask: Ask) -> Any:
        """What was sent to whom by which channel and what became of it, newest first."""
        return ask.of(self.notifications).deliveries(ask.command())
