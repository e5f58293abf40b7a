"""What is asked of tickets: filing, moves, comments, corrections and searches."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, validates_schema
from marshmallow import fields as base
from marshmallow.validate import Equal, OneOf

from services.gateway.schemas import fields
from services.gateway.schemas.common import Page

STATES = (
    "filed", "accepted", "assigned", "in_progress", "resolved", "closed", "refused", "withdrawn",
)  # fmt: skip
CHANNELS = (
    "page", "phone", "counter", "home_visit", "meeting", "fair", "chat_group", "hotline",
    "open311", "patrol",
)  # fmt: skip
MOVES = (
    "acceptance", "refusal", "assignment", "work", "send-back", "resolution", "follow-up",
    "reopening", "withdrawal",
)  # fmt: skip
RATES = ("solved_share", "response_rate", "resolution_rate", "satisfaction_rate")
SORTS = ("-filed_at", "filed_at", "-changed_at", "changed_at")
VISIBILITIES = ("public", "private")
_CATEGORY = "[A-Za-z0-9_.:-]{1,100}"
_CORRECTABLE = ("category", "title", "location", "visibility")
_OCCURRED = "when it happened; only for API keys with the scope `import`"


class Dated(Schema):
    """Something that an importer may date back."""

    occurred_at = fields.Moment(metadata={"description": _OCCURRED})


class Location(Schema):
    """A point on the map, WGS 84, in degrees."""

    lat = fields.Degrees(90, required=True)
    lon = fields.Degrees(180, required=True)


class Party(Schema):
    """Somebody by name and phone, or a resident who is known already."""

    also = {
        "oneOf": [
            {"required": ["phone"], "not": {"required": ["resident"]}},
            {"required": ["resident"], "maxProperties": 1},
        ]
    }

    name = fields.line(50)
    phone = fields.Phone()
    resident = fields.Uuid()

    @validates_schema(skip_on_field_errors=True)
    def _one_of_both(self, data: Mapping[str, Any], **_: Any) -> None:
        if set(data) not in ({"resident"}, {"name", "phone"}, {"phone"}):
            raise ValidationError("Give either a phone, and perhaps a name, or a resident.")


class NewTicket(Dated):
    """What is raised, where, by whom and for whom. Without a reporter it is the caller's own, or
    nobody's when staff write it down.
    """

    example = {
        "kind": "request",
        "category": "water.burst_pipe",
        "description": "三楼楼道水管漏水",
        "area": "340603008002.e1.g1.b1",
        "channel": "page",
        "visibility": "private",
    }

    kind = base.String(load_default="request", validate=Equal("request"))
    category = fields.one_of(_CATEGORY, required=True)
    title = fields.text(100, 0, allow_none=True)
    description = fields.said(5000, required=True)
    attributes = fields.Map(
        keys=fields.one_of("[a-z0-9_]{1,100}"),
        values=fields.Answer(),
        most=50,
        metadata={"description": "answers to what its category asks besides, by their codes"},
    )
    media_url = fields.link(allow_none=True)
    area = fields.area(required=True)
    address = fields.text(200, 0, allow_none=True)
    location = base.Nested(Location, allow_none=True)
    reporter = base.Nested(Party, allow_none=True)
    on_behalf_of = base.Nested(Party, allow_none=True)
    channel = base.String(load_default="page", validate=OneOf(CHANNELS))
    visibility = base.String(load_default="private", validate=OneOf(VISIBILITIES))
    priority = base.String(allow_none=True, validate=OneOf(["normal", "urgent"]))


class TicketChange(Dated):
    """Corrections: only what is given changes."""

    also = {"anyOf": [{"required": [name]} for name in _CORRECTABLE]}

    example = {"visibility": "public"}

    category = fields.one_of(_CATEGORY)
    title = fields.text(100, 0, allow_none=True)
    location = base.Nested(Location, allow_none=True)
    visibility = base.String(validate=OneOf(VISIBILITIES))

    @validates_schema(skip_on_field_errors=True)
    def _something(self, data: Mapping[str, Any], **_: Any) -> None:
        if not set(data) & set(_CORRECTABLE):
            raise ValidationError("Say what to change.")


class Refusal(Dated):
    """Why it is refused, and where else its reporter may turn."""

    example = {"reason": "不属于社区受理范围", "refer_to": "12345"}

    reason = fields.said(1000, required=True)
    refer_to = fields.text(200, 0, allow_none=True)


class Assignment(Dated):
    """Who is to have it: a department, a person on duty, or a person of that department."""

    also = {
        "anyOf": [
            {"required": [name], "properties": {name: {"type": "string"}}}
            for name in ("department", "assignee")
        ]
    }
    example = {"department": "water", "note": "请先电话联系"}

    department = fields.department(allow_none=True)
    assignee = fields.Uuid(allow_none=True)
    note = fields.text(1000, 0, allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _somebody(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("department") is None and data.get("assignee") is None:
            raise ValidationError("Name a department or an assignee.", "department")


class Reasoned(Dated):
    """A move that must be explained."""

    example = {"reason": "不是我单位管辖"}

    reason = fields.said(1000, required=True)


class Resolution(Dated):
    """What was done."""

    example = {"summary": "已更换水管"}

    summary = fields.said(2000, required=True)


class FollowUp(Dated):
    """Whether it is solved, in its reporter's words. `no`, or `partly` with `reopen`, opens it
    again. Whoever has called may say `unreachable` (then `no_answer`), which only counts the call.
    """

    example = {"solved": "yes", "satisfied": "yes"}

    solved = base.String(required=True, validate=OneOf(["yes", "partly", "no", "unreachable"]))
    satisfied = base.String(required=True, validate=OneOf(["yes", "no", "no_answer"]))
    contacted = base.String(allow_none=True, validate=OneOf(["yes", "no"]))
    reopen = fields.Flag()
    reason = fields.text(1000, 0, allow_none=True)
    comment = fields.text(2000, 0, allow_none=True)


class Exclusion(Dated):
    """In which rate a ticket does not count, and why."""

    example = {"rate": "resolution_rate", "reason": "居民已搬离，无法整改"}

    rate = base.String(required=True, validate=OneOf(RATES))
    reason = fields.said(1000, required=True)


class OneRate(Schema):
    """In which rate it counts again."""

    rate = base.String(required=True, validate=OneOf(RATES))


class NewComment(Dated):
    """A comment for everyone who may read the ticket, or among staff (`internal`)."""

    example = {"text": "师傅下午三点到", "visibility": "public"}

    text = fields.said(2000, required=True)
    visibility = base.String(load_default="public", validate=OneOf(["public", "internal"]))


class Several(base.String):
    """Some of a few values, with commas between them."""

    def __init__(self, known: tuple[str, ...], **options: Any) -> None:
        self._known = known
        one = "|".join(known)
        super().__init__(metadata={"pattern": f"^({one})(,({one}))*$"}, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        parts = super()._deserialize(value, attr, data, **kwargs).split(",")
        if not all(part in self._known for part in parts):
            raise ValidationError(f"Must be of: {', '.join(self._known)}.")
        return parts


class CallListQuery(Page):
    """Whom to call in which place, all below it included."""

    area = fields.area()


class Counted(Schema):
    """Which tickets: filed on the days `from` … `to` (both included), and where; `area` and
    `category` include what lies below them.
    """

    class Meta:
        include = {"from": fields.Day(metadata={"description": "filed on this day or later"})}

    to = fields.Day(metadata={"description": "filed on this day or before"})
    area = fields.area()
    department = fields.department(metadata={"description": "`none` for those that have none"})
    category = fields.one_of(_CATEGORY)
    channel = base.String(validate=OneOf(CHANNELS))


class CountedAt(Counted):
    """The same, as it was at the end of a day."""

    as_of = fields.Day(metadata={"description": "as it was at the end of this day; else now"})
    direct = fields.QueryFlag(
        metadata={"description": "`true`: right in this area, in none of those below it"}
    )


class RatesQuery(CountedAt):
    """The rates of which tickets, and by what. Without days it is this month until today; a year at
    most.
    """

    by = base.String(validate=OneOf(["day", "month", "area", "department", "category", "channel"]))


class LedgerQuery(Counted):
    """Which tickets, and as what. Without days it is this month until today; a year at most."""

    state = Several(STATES)
    format = base.String(load_default="json", validate=OneOf(["json", "csv", "xlsx"]))


class TicketQuery(Page, CountedAt):
    """Which tickets, in which order; with a `rate`, those that are this `part` of it, for which
    `as_of` and `direct` are.
    """

    state = Several(STATES)
    kind = base.String(validate=Equal("request"))
    assignee = fields.Uuid()
    reporter = fields.Uuid()
    q = fields.text(100)
    sort = base.String(load_default="-filed_at", validate=OneOf(SORTS))
    rate = base.String(validate=OneOf(RATES))
    part = base.String(
        validate=OneOf(["numerator", "denominator", "excluded"]),
        metadata={"description": "of `rate`; the denominator if not said"},
    )
