"""What messages say, and how it was edited."""

from marshmallow import Schema
from marshmallow import fields as base
from marshmallow.validate import OneOf

from services.gateway.schemas import fields

PARTS = ("title", "body", "text", "subject", "html")


class TemplateChange(Schema):
    """What a template says: `title` and `body` in the inbox, `text` by SMS, `subject`, `text` and
    `html` by e-mail. Of a fault in a template, the pointer ends in the line.
    """

    example = {"parts": {"text": "【邻里】您的诉求{{ number }}已登记。"}}

    parts = fields.Map(
        keys=base.String(validate=OneOf(PARTS)), values=fields.text(10_000, 0), required=True
    )


class _Parts(Schema):
    parts = base.Dict(keys=base.String(), values=base.String(), required=True)


class TemplatePreview(_Parts):
    """What a template would say, on samples; `segments` is how many short messages an SMS takes."""

    segments = base.Integer(required=True, allow_none=True)


class TemplateVersion(Schema):
    """One edit: by whom (an id), when, and what it said; null when it went back to what was
    shipped.
    """

    version = base.Integer(required=True)
    at = fields.Moment(required=True)
    by = base.String(required=True, allow_none=True)
    is_shipped = base.Boolean(required=True)
    parts = base.Dict(keys=base.String(), values=base.String(), required=True, allow_none=True)


class TemplateEntry(Schema):
    """Which message, by which channel, in which language; whether it says what was shipped."""

    purpose = base.String(required=True)
    channel = base.String(required=True)
    locale = base.String(required=True)
    is_shipped = base.Boolean(required=True)


class Template(TemplateEntry, _Parts):
    """What a message says as it holds, what was shipped, and the latest edits, newest first."""

    shipped = base.Dict(keys=base.String(), values=base.String(), required=True)
    variables = base.List(base.String(), required=True)
    versions = base.List(base.Nested(TemplateVersion), required=True)
