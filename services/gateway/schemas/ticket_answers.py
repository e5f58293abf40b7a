"""What is answered about tickets: themselves, their history, comments and categories."""

from typing import Any

from marshmallow import Schema
from marshmallow import fields as base
from marshmallow.validate import OneOf

from services.gateway.schemas import fields
from services.gateway.schemas.common import Names, list_of
from services.gateway.schemas.tickets import (
    CHANNELS,
    MOVES,
    RATES,
    STATES,
    VISIBILITIES,
    Location,
)

# As Open311 GeoReport v2 calls them.
DATATYPES = ("string", "text", "number", "datetime", "singlevaluelist", "multivaluelist")


def _maybe(field: type[base.Field[Any]] = base.String, **options: Any) -> base.Field[Any]:
    """A member that is always there and may be null."""
    return field(required=True, allow_none=True, **options)


def _masked() -> base.Field[Any]:
    return base.List(
        base.String(),
        metadata={"description": "texts of the request in which a phone or ID number was masked"},
    )


class Holder(Schema):
    """Who has a ticket now: a person, a department, or the area's secretary."""

    kind = base.String(required=True, validate=OneOf(["person", "department", "secretary"]))
    id = _maybe()


class Refused(Schema):
    """Why a ticket was refused, and where else its reporter may turn."""

    reason = base.String(required=True)
    refer_to = _maybe()


class FollowedUp(Schema):
    """What its reporter last said of it."""

    solved = base.String(required=True)
    satisfied = _maybe()
    contacted = _maybe()


class Place(Schema):
    """An area by code and name."""

    code = base.String(required=True)
    name = base.String(required=True)
    level = _maybe()


class Ticket(Schema):
    """A ticket as its reader may see it, codes beside their names in the reader's language.

    `moves` are those that the reader may make now. The public sees no persons.
    """

    id = fields.Uuid(required=True)
    number = base.String(required=True)
    kind = base.String(required=True)
    state = base.String(required=True, validate=OneOf(STATES))
    version = base.Integer(required=True, metadata={"description": "what If-Match compares"})
    sequence = base.Integer(required=True, metadata={"description": "grows with every event"})
    masked = _masked()
    category = base.String(required=True)
    category_name = base.String(required=True)
    title = _maybe()
    description = base.String(required=True)
    attributes = base.Dict(
        keys=base.String(),
        required=True,
        metadata={"description": "answers to what its category asks besides, by their codes"},
    )
    media_url = _maybe()
    area = base.String(required=True)
    area_name = base.String(required=True)
    area_path = base.List(base.Nested(Place), required=True)
    address = _maybe()
    location = base.Nested(Location, required=True, allow_none=True)
    channel = base.String(required=True, validate=OneOf(CHANNELS))
    visibility = base.String(required=True, validate=OneOf(VISIBILITIES))
    priority = base.String(required=True)
    reporter = _maybe()
    on_behalf_of = _maybe()
    filed_by = _maybe()
    department = _maybe()
    department_name = _maybe()
    assignee = _maybe()
    responsible = _maybe()
    holder = base.Nested(Holder, required=True, allow_none=True)
    send_backs = base.Integer(required=True)
    reopenings = base.Integer(required=True)
    resolution = _maybe()
    refusal = base.Nested(Refused, required=True, allow_none=True)
    follow_up = base.Nested(FollowedUp, required=True, allow_none=True)
    call_attempts = _maybe(
        base.Integer, metadata={"description": "calls in vain since it was last resolved"}
    )
    filed_at = fields.Moment(required=True)
    recorded_at = fields.Moment(required=True)
    changed_at = fields.Moment(required=True)
    accepted_at = _maybe(fields.Moment)
    assigned_at = _maybe(fields.Moment)
    started_at = _maybe(fields.Moment)
    resolved_at = _maybe(fields.Moment)
    answer_by = _maybe(
        fields.Moment, metadata={"description": "when silence closes it, if it is resolved"}
    )
    closed_at = _maybe(fields.Moment)
    reopened_at = _maybe(fields.Moment)
    moves = base.List(base.String(validate=OneOf(MOVES)), required=True)


class TicketsFound(list_of(Ticket)):  # type: ignore[misc]
    """A page of tickets; of those behind a number of the rates, also how many are not shown."""

    hidden = base.Integer(
        metadata={
            "description": "with `rate`: how many of the number's tickets one may not see any "
            "more, such as a department those that another one has now"
        }
    )


class By(Schema):
    """Who did something: a person's id, a department's code, or null for somebody unnamed."""

    id = _maybe()
    kind = base.String(required=True)


class HistoryEntry(Schema):
    """One change: when, who, from, to, why. What its reader may not see is null."""

    class Meta:
        include = {"from": base.String(required=True, allow_none=True, validate=OneOf(STATES))}

    sequence = base.Integer(required=True)
    event = _maybe()
    move = base.String(required=True)
    to = base.String(required=True, validate=OneOf(STATES))
    version = base.Integer(required=True)
    department = _maybe()
    assignee = _maybe()
    by = base.Nested(By, required=True, allow_none=True)
    occurred_at = fields.Moment(required=True)
    recorded_at = fields.Moment(required=True)
    reason = _maybe()
    details = base.Dict(keys=base.String(), required=True)


class Comment(Schema):
    """A comment."""

    id = fields.Uuid(required=True)
    ticket = fields.Uuid(required=True)
    sequence = base.Integer(required=True)
    text = base.String(required=True)
    masked = _masked()
    visibility = base.String(required=True, validate=OneOf(["public", "internal"]))
    author = _maybe()
    author_kind = _maybe()
    occurred_at = fields.Moment(required=True)


class Excluded(Schema):
    """A rate in which a ticket does not count, who said so and why."""

    rate = base.String(required=True, validate=OneOf(RATES))
    reason = base.String(required=True)
    by = _maybe()
    occurred_at = fields.Moment(required=True)


class SuggestedDepartment(Schema):
    """A department that might solve it, and why."""

    code = base.String(required=True)
    reason = base.String(required=True)
    category = base.String()


class SuggestedPerson(Schema):
    """A person on duty nearby, and why."""

    person = fields.Uuid(required=True)
    reason = base.String(required=True)
    area = base.String()


class Suggestion(Schema):
    """Who might solve a ticket."""

    department = base.Nested(SuggestedDepartment, required=True, allow_none=True)
    grid_worker = base.Nested(SuggestedPerson, required=True, allow_none=True)


class AttributeValue(Schema):
    """One of the answers that a list allows."""

    key = base.String(required=True)
    name = base.String(required=True)


class Attribute(Schema):
    """What a category asks besides of whoever files; `values` of the lists only."""

    code = base.String(required=True)
    datatype = base.String(required=True, validate=OneOf(DATATYPES))
    required = base.Boolean(required=True)
    order = base.Integer(required=True)
    description = base.String(required=True)
    values = base.List(base.Nested(AttributeValue), required=True)


class Category(Schema):
    """What requests are about; times are in hours. `personal`: about somebody's own affairs."""

    code = base.String(required=True)
    parent = _maybe()
    name = base.String(required=True)
    names = base.Nested(Names, required=True)
    department = _maybe()
    response_hours = base.Integer(required=True, allow_none=True)
    resolution_hours = base.Integer(required=True, allow_none=True)
    emergency = base.Boolean(required=True)
    personal = base.Boolean(required=True)
    attributes = base.List(base.Nested(Attribute), required=True)
