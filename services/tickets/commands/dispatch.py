"""The community's moves: it accepts or refuses what was filed and assigns it to whoever can solve
it.
"""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call
from services.tickets import lifecycle, numbers, projections
from services.tickets.commands import moving
from services.tickets.commands.moving import Command
from services.tickets.errors import fault
from services.tickets.lifecycle import State
from services.tickets.record import Step
from services.tickets.ticket import Ticket


def accept(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Take the ticket on; whoever accepts it has it."""
    return moving.make(session, call, "acceptance", command, lambda call, _: [acceptance(call)])


def acceptance(call: Call) -> Step:
    """The step by which the caller accepts a filed ticket."""
    return Step(
        "acceptance",
        {
            "state": lifecycle.move(State.FILED, "acceptance"),
            "accepted_by": call.actor.id,
            "responsible": call.actor.id,
            "accepted_at": call.occurred_at,
        },
    )


def refuse(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Say that the community will not handle it, why, and where else its reporter may turn."""

    def steps(_call: Call, ticket: Ticket) -> list[Step]:
        changes = {
            "state": lifecycle.move(ticket.state, "refusal"),
            "refusal": command["reason"],
            "refer_to": command["refer_to"],
        }
        details = {"refer_to": command["refer_to"]}
        return [Step("refusal", changes, reason=command["reason"], details=details)]

    return moving.make(session, call, "refusal", command, steps)


def assign(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Give it to a department, a person on duty, or a person of that department. Raises Invalid
    when there is none such.

    The assigner stays responsible until whoever gets it starts to work.
    """

    def steps(call: Call, ticket: Ticket) -> list[Step]:
        department, assignee = _unit(session, command, numbers.day_of(clock.now()))
        changes = {
            "state": lifecycle.move(ticket.state, "assignment"),
            "department": department,
            "assignee": assignee,
            "responsible": call.actor.id,
            "assigned_at": call.occurred_at,
            "started_at": None,
        }
        return [Step("assignment", changes, reason=command["note"], event=before_the_move(ticket))]

    return moving.make(session, call, "assignment", command, steps)


def before_the_move(ticket: Ticket) -> dict[str, Any]:
    """Who had it, for the event of a move that takes it from them."""
    return {"previous_department": ticket.department, "previous_assignee": ticket.assignee}


def _unit(session: Session, command: Command, today: date) -> tuple[str | None, str | None]:
    """The department and the person who are to have it."""
    department, person = command["department"], command["assignee"]
    if department is not None:
        projections.check_department(session, department)
    if person is None:
        return department, None
    serves = projections.departments_served(session, person, today)
    if not serves:
        raise fault("/assignee", "not_on_duty", "This person has no duty today.")
    if department is None:
        # A clerk of one department stands for it; anybody else has it in person.
        return (serves.pop() if len(serves) == 1 else None), person
    if department not in serves:
        raise fault("/assignee", "not_of_department", "This person is not of that department.")
    return department, person
