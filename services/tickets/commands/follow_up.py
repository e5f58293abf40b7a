"""What the reporter says of it: whether it is solved, that it is not after all, or that they take
it back.
"""

from typing import Any

from sqlalchemy.orm import Session

from chassis.call import Call
from services.tickets import lifecycle
from services.tickets.commands import moving
from services.tickets.commands.moving import Command
from services.tickets.record import Step
from services.tickets.ticket import Ticket


def rate(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Keep the reporter's answer, and close the ticket or reopen it as the answer says."""

    def steps(call: Call, ticket: Ticket) -> list[Step]:
        follows = lifecycle.consequence(command["solved"], command["reopen"])
        if follows == "closing":
            return [_rating(ticket, command), _closing(call, ticket, command)]
        return [_rating(ticket, command), _reopening(call, ticket, command["reason"])]

    return moving.make(session, call, "follow-up", command, steps)


def _rating(ticket: Ticket, command: Command) -> Step:
    answer = {name: command[name] for name in ("solved", "satisfied", "contacted")}
    state = lifecycle.move(ticket.state, "follow-up")
    return Step(
        "follow-up",
        {"state": state, **answer},
        reason=command["reason"],
        details={**answer, "reopen": command["reopen"], "comment": command["comment"]},
        event=answer,
    )


def _closing(call: Call, ticket: Ticket, command: Command) -> Step:
    changes = {
        "state": lifecycle.move(ticket.state, "closing"),
        "closed_at": call.occurred_at,
    }
    return Step("closing", changes, event={"solved": command["solved"]})


def reopen(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Give it to the same unit again; its clock starts anew, the count of that is kept."""
    return moving.make(
        session,
        call,
        "reopening",
        command,
        lambda call, ticket: [_reopening(call, ticket, command["reason"])],
    )


def _reopening(call: Call, ticket: Ticket, reason: str | None) -> Step:
    changes = {
        "state": lifecycle.move(ticket.state, "reopening"),
        "assignee": _who_had_it(ticket),
        "reopenings": ticket.reopenings + 1,
        "resolution": None,
        "assigned_at": call.occurred_at,
        "reopened_at": call.occurred_at,
        "started_at": None,
        "resolved_at": None,
        "closed_at": None,
    }
    return Step("reopening", changes, reason=reason, event={"reopenings": ticket.reopenings + 1})


def _who_had_it(ticket: Ticket) -> str | None:
    """The assignee; of what the community resolved without assigning it, whoever did."""
    if ticket.assignee is None and ticket.department is None:
        return ticket.responsible
    return ticket.assignee


def withdraw(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Take it back."""

    def steps(_call: Call, ticket: Ticket) -> list[Step]:
        changes = {"state": lifecycle.move(ticket.state, "withdrawal")}
        return [Step("withdrawal", changes, reason=command["reason"])]

    return moving.make(session, call, "withdrawal", command, steps)
