"""What is answered about rates."""

from marshmallow import Schema
from marshmallow import fields as base

from services.gateway.schemas import fields


class Links(Schema):
    """Where the tickets behind a number are listed."""

    numerator = base.String(required=True, metadata={"format": "uri-reference"})
    denominator = base.String(required=True, metadata={"format": "uri-reference"})
    excluded = base.String(required=True, metadata={"format": "uri-reference"})


class Rate(Schema):
    """A rate with what it is made of; `value` is null where there is nothing to divide by."""

    value = base.Float(required=True, allow_none=True)
    numerator = base.Integer(required=True)
    denominator = base.Integer(required=True)
    excluded = base.Integer(required=True, metadata={"description": "left out by the secretary"})
    links = base.Nested(Links, required=True)


class _Counted(Schema):
    """Collected: filed in the period, less refused, withdrawn and excluded; solved: closed with a
    last answer `yes`.
    """

    collected = base.Integer(required=True)
    solved = base.Integer(required=True)
    solved_share = base.Nested(Rate, required=True)
    response_rate = base.Nested(Rate, required=True)
    resolution_rate = base.Nested(Rate, required=True)
    satisfaction_rate = base.Nested(Rate, required=True)


class RatesItem(_Counted):
    """The rates of one day, month, place, department, category or channel; the key is null for what
    has no department.
    """

    key = base.String(required=True, allow_none=True)
    name = base.String(required=True, allow_none=True)


class Rates(_Counted):
    """The rates of a period, and `by` something each item's."""

    class Meta:
        include = {"from": fields.Day(required=True)}

    to = fields.Day(required=True)
    as_of = fields.Day(dump_default=None, allow_none=True)
    by = base.String(required=True, allow_none=True)
    items = base.List(base.Nested(RatesItem), required=True)
