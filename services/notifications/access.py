"""Whose inbox it is, who may look at deliveries, and at what is held on a person."""

from uuid import UUID

from chassis.call import Actor, Call
from chassis.errors import Forbidden
from services.notifications.errors import NoInbox, NotForYou


def inbox_owner(call: Call, operation: str) -> UUID:
    """The person who calls and may do this (`inbox.read`, `inbox.write`) to their own inbox.

    Raises NoInbox: a department, a service and a stranger have none.
    """
    if call.actor.kind != "person" or operation not in call.may(lambda reach: reach == "own"):
        raise NoInbox
    try:
        return UUID(call.actor.id)
    except (TypeError, ValueError):
        raise NoInbox from None


def require_gateway(call: Call) -> None:
    """Raises NotForYou unless it is the gateway, which has asked who may have it."""
    if call.actor != Actor("gateway", "system"):
        raise NotForYou


def require_administrator(call: Call, operation: str = "deliveries.read") -> None:
    """Raises NotForYou unless the caller may do this to everybody's."""
    if operation not in call.may(lambda reach: reach == "any"):
        raise NotForYou if operation == "deliveries.read" else Forbidden
