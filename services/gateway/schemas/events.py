"""The event feed and stream."""

from marshmallow import Schema
from marshmallow import fields as base

from services.gateway.schemas import fields

_TYPE = r"linli\.[a-z0-9]+\.[a-z0-9_]+\.v[1-9][0-9]*"
_AFTER = "the cursor after which to go on, of the feed or of the stream; without it, "


class EventFilter(Schema):
    """Which events: all of what is given must hold."""

    type = fields.one_of(
        rf"{_TYPE}(,{_TYPE}){{0,49}}", metadata={"description": "event types, with commas"}
    )
    area = fields.area(metadata={"description": "in this place or below"})
    department = fields.department(metadata={"description": "that concern this department"})
    subject = fields.Uuid(metadata={"description": "about this ticket, person or duty"})


class EventQuery(EventFilter):
    """A page of the feed."""

    after = fields.cursor(metadata={"description": _AFTER + "from the oldest that is kept"})
    limit = fields.QueryCount(1, 200, load_default=50)


class StreamQuery(EventFilter):
    """A place in the stream; the header `Last-Event-ID` says it as well, and wins."""

    after = fields.cursor(metadata={"description": _AFTER + "from now on"})


class EventPage(Schema):
    """Events as CloudEvents 1.0, oldest first."""

    items = base.List(base.Dict(keys=base.String()), required=True)
    next = base.String(
        required=True,
        allow_none=True,
        metadata={"description": "the cursor of the next page; null when there is none yet"},
    )
    cursor = base.String(
        required=True,
        allow_none=True,
        metadata={"description": "where to go on later, also when there is no next page yet"},
    )
