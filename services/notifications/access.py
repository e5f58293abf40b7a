"""Whose inbox it is, and who may look at deliveries."""

from uuid import UUID

from chassis.call import Call
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


def require_administrator(call: Call) -> None:
    """Raises NotForYou unless the caller may see everybody's deliveries."""
    if "deliveries.read" not in call.may(lambda reach: reach == "any"):
        raise NotForYou
