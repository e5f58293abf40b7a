"""What can be asked of tickets over RPC, field by field."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.tickets.figures import RATES
from services.tickets.lifecycle import State
from services.tickets.rates import PARTS
from services.tickets.schemas import CHANNELS, Code, Id, One, Text

SORTS = ("-filed_at", "filed_at", "-changed_at", "changed_at")
MOST = 200
# Of what is asked from outside, the first page and how far into a period pages lead.
LATEST, FURTHEST = 1_000, 10_000


class _Several(fields.Field[list[str]]):
    """Some of a few values, as a list or a text with commas."""

    default_error_messages = {"invalid": "Not among the known values."}

    def __init__(self, known: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = known

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[str]:
        values = value.split(",") if isinstance(value, str) else value
        if not isinstance(values, list) or not all(item in self.known for item in values):
            raise self.make_error("invalid")
        return values


class Nothing(Schema):
    """A query that needs no words."""


class Page(Schema):
    """A page: `after` is the `next` of the page before it."""

    after = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))
    limit = fields.Integer(load_default=50, strict=True, validate=validate.Range(1, MOST))


class PageOfOne(One, Page):
    """A page of what belongs to one ticket."""


class _Counted(Schema):
    """Which tickets: filed on the days `from` … `to`, and where. `area` and `category` include what
    lies below them, but for `direct`; `as_of` is the day at whose end it is answered.
    """

    class Meta:
        include = {"from": fields.Date()}

    to = fields.Date()
    as_of = fields.Date()
    area = Code()
    direct = fields.Boolean()
    department = Code()
    category = Code()
    channel = fields.String(validate=validate.OneOf(CHANNELS))


class Rates(_Counted):
    """The rates of which tickets, told `by` what."""

    by = fields.String(
        validate=validate.OneOf(["day", "month", "area", "department", "category", "channel"])
    )


class Ledger(Page):
    """Which tickets: filed on the days `from` … `to`, and where."""

    class Meta:
        include = {"from": fields.Date()}

    to = fields.Date()
    area = Code()
    department = Code()
    category = Code()
    channel = fields.String(validate=validate.OneOf(CHANNELS))
    state = _Several(tuple(str(state) for state in State))


class ListTickets(Page, _Counted):
    """Which tickets, in which order; with a `rate`, those that are this `part` of it."""

    state = _Several(tuple(str(state) for state in State))
    kind = fields.String(validate=validate.OneOf(["request"]))
    assignee = Id()
    reporter = Id()
    q = Text(100)
    sort = fields.String(load_default="-filed_at", validate=validate.OneOf(SORTS))
    rate = fields.String(validate=validate.OneOf(RATES))
    part = fields.String(validate=validate.OneOf(PARTS))

    @validates_schema
    def _of_a_rate(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "rate" in data:
            data["part"] = data.get("part", "denominator")
            return
        alone = {
            name: ["Only with a rate."] for name in ("part", "as_of", "direct") if name in data
        }
        if alone:
            raise ValidationError(alone)


class Requests(Schema):
    """Which tickets, by `ids` (or numbers) or by when they were filed or their last change was
    recorded, both ends included; of those, `limit` after the first `offset`.
    """

    ids = fields.List(fields.String(), validate=validate.Length(max=MOST))
    categories = fields.List(Code(), validate=validate.Length(max=MOST))
    area = Code()
    state = _Several(tuple(str(state) for state in State))
    filed_from = fields.AwareDateTime()
    filed_until = fields.AwareDateTime()
    recorded_from = fields.AwareDateTime()
    recorded_until = fields.AwareDateTime()
    limit = fields.Integer(load_default=50, strict=True, validate=validate.Range(1, LATEST))
    offset = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, FURTHEST))


class Updates(Schema):
    """What was recorded of tickets between two moments, both included; of that, `limit` after the
    first `offset`.
    """

    ids = fields.List(fields.String(), validate=validate.Length(max=MOST))
    area = Code()
    recorded_from = fields.AwareDateTime(required=True)
    recorded_until = fields.AwareDateTime(required=True)
    limit = fields.Integer(load_default=50, strict=True, validate=validate.Range(1, LATEST))
    offset = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, FURTHEST))


class Locate(Schema):
    """A place of responsibility, and a place in it, for filing there."""

    jurisdiction = fields.String(load_default=None, validate=validate.Length(1, 100))
    address = Code(load_default=None)


class CallList(Page):
    """Whom to call in which place."""

    area = Code()


class HeldOn(Schema):
    """Of whom the references are wanted; `after`: the last ticket of the page before; `words`: with
    what they said.
    """

    person = Id(required=True)
    after = Id(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=MOST, validate=validate.Range(1, MOST))
    words = fields.Boolean(load_default=False)
