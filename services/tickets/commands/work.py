"""The moves of whoever has a ticket: they start to work, send it back, or resolve it."""

from typing import Any

from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call
from services.tickets import lifecycle
from services.tickets.commands import moving
from services.tickets.commands.dispatch import before_the_move
from services.tickets.commands.moving import Command
from services.tickets.record import Step
from services.tickets.ticket import Ticket


def start_work(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Accept it by starting to work. From now on whoever works is responsible, no longer the
    assigner (首接负责).
    """

    def steps(call: Call, ticket: Ticket) -> list[Step]:
        worker = call.actor.id if call.actor.kind == "person" else ticket.assignee
        changes = {
            "state": lifecycle.move(ticket.state, "work"),
            "assignee": worker,
            "responsible": worker or call.actor.id,
            "started_at": call.occurred_at,
        }
        return [Step("work", changes)]

    return moving.make(session, call, "work", command, steps)


def send_back(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Give it back to whoever accepted it; after the second time the secretary has it."""

    def steps(_call: Call, ticket: Ticket) -> list[Step]:
        changes = {
            "state": lifecycle.move(ticket.state, "send-back"),
            "department": None,
            "assignee": None,
            "responsible": ticket.accepted_by,
            "send_backs": ticket.send_backs + 1,
            "assigned_at": None,
            "started_at": None,
        }
        event = {**before_the_move(ticket), "send_backs": ticket.send_backs + 1}
        return [Step("send-back", changes, reason=command["reason"], event=event)]

    return moving.make(session, call, "send-back", command, steps)


def resolve(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Say what was done; the reporter is asked next."""

    def steps(call: Call, ticket: Ticket) -> list[Step]:
        changes = {
            "state": lifecycle.move(ticket.state, "resolution"),
            "resolution": command["summary"],
            "resolved_at": call.occurred_at,
            "answer_by": lifecycle.answer_by(call.occurred_at, clock.now()),
            "responsible": call.actor.id,
        }
        return [Step("resolution", changes, reason=command["summary"])]

    return moving.make(session, call, "resolution", command, steps)
