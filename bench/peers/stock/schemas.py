"""What is asked and answered, in marshmallow."""

from marshmallow import Schema, fields
from marshmallow.validate import Equal, Length, OneOf, Range, Regexp

from bench.peers.domain import CATEGORIES, CHANNELS


class NewTicket(Schema):
    """What is raised, and where."""

    kind = fields.String(load_default="request", validate=Equal("request"))
    category = fields.String(required=True, validate=OneOf(CATEGORIES))
    title = fields.String(allow_none=True, validate=Length(max=100))
    description = fields.String(required=True, validate=Length(1, 5000))
    attributes = fields.Dict(keys=fields.String(), values=fields.String())
    media_url = fields.Url(allow_none=True)
    area = fields.String(required=True, validate=Regexp(r"[0-9]{12}(\.[a-z][0-9]+)*$"))
    address = fields.String(allow_none=True, validate=Length(max=200))
    channel = fields.String(load_default="page", validate=OneOf(CHANNELS))
    visibility = fields.String(load_default="private", validate=OneOf(["public", "private"]))


class Place(Schema):
    """An area by code and name."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    level = fields.String(required=True, allow_none=True)


class Ticket(Schema):
    """A ticket, names beside its codes."""

    id = fields.String()
    number = fields.String()
    kind = fields.String()
    state = fields.String()
    version = fields.Integer()
    sequence = fields.Integer()
    category = fields.String()
    category_name = fields.String()
    title = fields.String()
    description = fields.String()
    attributes = fields.Dict()
    media_url = fields.String()
    area = fields.String()
    area_name = fields.String()
    area_path = fields.List(fields.Nested(Place))
    address = fields.String()
    location = fields.Dict()
    channel = fields.String()
    visibility = fields.String()
    priority = fields.String()
    reporter = fields.String()
    on_behalf_of = fields.String()
    filed_by = fields.String()
    department = fields.String()
    department_name = fields.String()
    assignee = fields.String()
    responsible = fields.String()
    holder = fields.Dict()
    send_backs = fields.Integer()
    reopenings = fields.Integer()
    resolution = fields.String()
    refusal = fields.Dict()
    follow_up = fields.Dict()
    call_attempts = fields.Integer()
    filed_at = fields.String()
    recorded_at = fields.String()
    changed_at = fields.String()
    accepted_at = fields.String()
    assigned_at = fields.String()
    started_at = fields.String()
    resolved_at = fields.String()
    answer_by = fields.String()
    closed_at = fields.String()
    reopened_at = fields.String()
    moves = fields.List(fields.String())


class Page(Schema):
    """A page of tickets."""

    items = fields.List(fields.Nested(Ticket))
    next = fields.String()


class Wanted(Schema):
    """Which page."""

    limit = fields.Integer(load_default=20, validate=Range(1, 100))
    after = fields.UUID(load_default=None)
