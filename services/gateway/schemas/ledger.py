"""What is answered when the ledger is asked for as JSON."""

from marshmallow import Schema
from marshmallow import fields as base

from services.gateway.schemas import fields
from services.gateway.schemas.ticket_answers import FollowedUp


def _maybe() -> base.String:
    return base.String(required=True, allow_none=True)


def _moment() -> fields.Moment:
    return fields.Moment(required=True, allow_none=True)


class LedgerEntry(Schema):
    """A line of the ledger: a ticket, without persons."""

    id = fields.Uuid(required=True)
    number = base.String(required=True)
    kind = base.String(required=True)
    state = base.String(required=True)
    category = base.String(required=True)
    category_name = base.String(required=True)
    area = base.String(required=True)
    area_name = base.String(required=True)
    address = _maybe()
    channel = base.String(required=True)
    visibility = base.String(required=True)
    priority = base.String(required=True)
    title = _maybe()
    description = base.String(required=True)
    department = _maybe()
    department_name = _maybe()
    resolution = _maybe()
    follow_up = base.Nested(FollowedUp, required=True, allow_none=True)
    call_attempts = base.Integer(required=True, allow_none=True)
    send_backs = base.Integer(required=True)
    reopenings = base.Integer(required=True)
    filed_at = fields.Moment(required=True)
    accepted_at = _moment()
    assigned_at = _moment()
    resolved_at = _moment()
    closed_at = _moment()


class Ledger(Schema):
    """All that was filed on the days `from` … `to`, in that order."""

    class Meta:
        include = {"from": fields.Day(required=True)}

    to = fields.Day(required=True)
    items = base.List(base.Nested(LedgerEntry), required=True)
