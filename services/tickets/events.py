"""The events of tickets: facts about one ticket, in ids, codes, states and times, never in
anybody's words.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from marshmallow import fields, validate
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call
from chassis.events import EventSchema, Route, emit
from services.tickets import routing
from services.tickets.figures import RATES
from services.tickets.lifecycle import NO_ANSWER, UNREACHABLE, State
from services.tickets.ticket import Ticket


def _says(description: str) -> dict[str, str]:
    """A field's line in docs/events.md and in its JSON Schema."""
    return {"description": description}


class _TicketEvent(EventSchema):
    """What every event says: the ticket as it stands after it, who acted, and when."""

    source = "/tickets"

    ticket = fields.UUID(required=True, metadata=_says("the same as `subject`"))
    number = fields.String(required=True, metadata=_says("what people call it by"))
    kind = fields.String(required=True, metadata=_says("`request`; more kinds will come"))
    category = fields.String(required=True, metadata=_says("a leaf of `categories`"))
    area = fields.String(required=True, metadata=_says("code of the place it is about"))
    state = fields.String(
        required=True,
        validate=validate.OneOf([str(state) for state in State]),
        metadata=_says("after the event"),
    )
    version = fields.Integer(
        required=True, metadata=_says("counts changes of state, assignee and department")
    )
    department = fields.String(
        required=True, allow_none=True, metadata=_says("code of the one that has it now")
    )
    departments = fields.List(
        fields.String(),
        required=True,
        metadata=_says("all that this event concerns: who has it, and who has just lost it"),
    )
    assignee = fields.UUID(
        required=True, allow_none=True, metadata=_says("the person who has it now")
    )
    reporter = fields.UUID(
        required=True, allow_none=True, metadata=_says("a resident; null when nobody is known")
    )
    visibility = fields.String(required=True, validate=validate.OneOf(["public", "private"]))
    channel = fields.String(required=True, metadata=_says("the way it was raised"))
    priority = fields.String(required=True, validate=validate.OneOf(["normal", "urgent"]))
    actor = fields.String(
        required=True, allow_none=True, metadata=_says("who did it; null for somebody unknown")
    )
    occurred_at = fields.AwareDateTime(
        required=True, format="iso", metadata=_says("when it happened")
    )
    recorded_at = fields.AwareDateTime(
        required=True, format="iso", metadata=_says("when it was written down")
    )


class TicketFiled(_TicketEvent):
    """Somebody raised something; it has a number now."""

    type = "linli.tickets.ticket_filed.v1"


class TicketAccepted(_TicketEvent):
    """The community has taken it on; `actor` has it."""

    type = "linli.tickets.ticket_accepted.v1"


class TicketRefused(_TicketEvent):
    """The community will not handle it; its reason is in the ticket."""

    type = "linli.tickets.ticket_refused.v1"


class TicketAssigned(_TicketEvent):
    """A department or a person was given it; the `previous_` ones have lost it if they differ."""

    type = "linli.tickets.ticket_assigned.v1"

    previous_department = fields.String(required=True, allow_none=True)
    previous_assignee = fields.UUID(required=True, allow_none=True)


class TicketStarted(_TicketEvent):
    """Whoever has it accepted it by starting to work, and is responsible from now on."""

    type = "linli.tickets.ticket_started.v1"


class TicketSentBack(_TicketEvent):
    """The `previous_` department or person gave it back, for the `send_backs`-th time in the
    ticket's life.
    """

    type = "linli.tickets.ticket_sent_back.v1"

    previous_department = fields.String(required=True, allow_none=True)
    previous_assignee = fields.UUID(required=True, allow_none=True)
    send_backs = fields.Integer(required=True)


class TicketResolved(_TicketEvent):
    """Whoever had it says it is done; the reporter is asked next."""

    type = "linli.tickets.ticket_resolved.v1"


class TicketRated(_TicketEvent):
    """The reporter answered, perhaps to somebody who called, whether it is solved and whether they
    are satisfied, and it is closed or reopened; or was called in vain, and nothing follows.
    """

    type = "linli.tickets.ticket_rated.v1"

    solved = fields.String(
        required=True, validate=validate.OneOf(["yes", "partly", "no", UNREACHABLE])
    )
    satisfied = fields.String(required=True, validate=validate.OneOf(["yes", "no", NO_ANSWER]))
    contacted = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(["yes", "no"]),
        metadata=_says("null when not answered"),
    )


class TicketClosed(_TicketEvent):
    """It is over, with this last answer to `solved`, or none for seven days (`no_answer`)."""

    type = "linli.tickets.ticket_closed.v1"

    solved = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(["yes", "partly", NO_ANSWER]),
        metadata=_says("null in the feed to those to whom the ticket is merely public"),
    )


class TicketReopened(_TicketEvent):
    """It was not solved after all: the same unit has it again, for the `reopenings`-th time."""

    type = "linli.tickets.ticket_reopened.v1"

    reopenings = fields.Integer(required=True)


class TicketWithdrawn(_TicketEvent):
    """Its reporter took it back."""

    type = "linli.tickets.ticket_withdrawn.v1"


class TicketCommented(_TicketEvent):
    """Somebody wrote a comment, `public` or `internal` (among staff); its text stays here."""

    type = "linli.tickets.ticket_commented.v1"

    comment = fields.UUID(required=True)
    comment_visibility = fields.String(
        required=True, validate=validate.OneOf(["public", "internal"])
    )


class TicketAmended(_TicketEvent):
    """These `fields` of it were corrected."""

    type = "linli.tickets.ticket_amended.v1"

    amended = fields.List(
        fields.String(), required=True, data_key="fields", metadata=_says("names of the fields")
    )


class TicketExcluded(_TicketEvent):
    """It does not count in this `rate` any more; why is in its history."""

    type = "linli.tickets.ticket_excluded.v1"

    rate = fields.String(required=True, validate=validate.OneOf(RATES))


class TicketIncluded(_TicketEvent):
    """It counts in this `rate` again, from which it had been excluded."""

    type = "linli.tickets.ticket_included.v1"

    rate = fields.String(required=True, validate=validate.OneOf(RATES))


BY_MOVE: Final[Mapping[str, type[_TicketEvent]]] = {
    "filing": TicketFiled,
    "acceptance": TicketAccepted,
    "refusal": TicketRefused,
    "assignment": TicketAssigned,
    "work": TicketStarted,
    "send-back": TicketSentBack,
    "resolution": TicketResolved,
    "follow-up": TicketRated,
    "closing": TicketClosed,
    "reopening": TicketReopened,
    "withdrawal": TicketWithdrawn,
    "comments": TicketCommented,
    "amendment": TicketAmended,
    "exclusion": TicketExcluded,
    "inclusion": TicketIncluded,
}


def name_of(move: str) -> str:
    """The short name of a move's event, such as `ticket_sent_back`."""
    return BY_MOVE[move].type.split(".")[2]


def publish(
    session: Session,
    call: Call,
    move: str,
    ticket: Ticket,
    *,
    before: str | None,
    recorded_at: datetime,
    own: Mapping[str, Any],
) -> None:
    """Store the event of a move that `ticket` has made. `before`: its department before the move;
    `own`: the event's own fields.
    """
    departments = routing.concerned(ticket.department, before)
    emit(
        session,
        call,
        BY_MOVE[move],
        subject=ticket.id,
        sequence=ticket.sequence,
        route=_route(ticket, departments),
        data={
            **_common(ticket, call),
            "departments": list(departments),
            "recorded_at": clock.local(recorded_at),
            **own,
        },
    )


def _route(ticket: Ticket, departments: tuple[str, ...]) -> Route:
    if not departments:
        return Route(place=ticket.place)
    return Route(departments[0], ticket.place, also=departments[1:])


_SAME = (
    "number",
    "kind",
    "category",
    "area",
    "state",
    "version",
    "department",
    "assignee",
    "reporter",
    "visibility",
    "channel",
    "priority",
)


def _common(ticket: Ticket, call: Call) -> dict[str, Any]:
    return {
        "ticket": ticket.id,
        **{name: getattr(ticket, name) for name in _SAME},
        "actor": call.actor.id,
        "occurred_at": clock.local(call.occurred_at),
    }
