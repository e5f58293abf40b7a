"""Care tags, as the registry keeps them."""

from marshmallow import Schema
from marshmallow import fields as base

from services.gateway.schemas import fields
from services.gateway.schemas.common import Names, Page
from services.gateway.schemas.tickets import Dated

_TAG = "[a-z_]{1,40}"


class CareTagKind(Schema):
    """A reason why somebody needs regular attention."""

    code = base.String(required=True)
    names = base.Nested(Names, required=True)


class CareTagQuery(Page):
    """Whose open tags to list."""

    within = fields.area()
    tag = fields.one_of(_TAG)


class NewCareTag(Dated):
    """A tag for a person, `from` today unless another day is given."""

    class Meta:
        include = {"from": fields.Day(allow_none=True)}

    example = {"tag": "elder_alone", "from": "2026-11-01", "note": "每周三上门"}

    tag = fields.one_of(_TAG, required=True)
    note = fields.line(500, allow_none=True)


class CareTagEnd(Dated):
    """The last day of a tag, today unless another day is given."""

    example = {"to": "2026-11-01"}

    to = fields.Day(allow_none=True)


class CareTagListed(Schema):
    """A tag among those of an area, and where its person lives."""

    class Meta:
        include = {
            "from": fields.Day(required=True),
            "to": fields.Day(required=True, allow_none=True),
        }

    id = fields.Uuid(required=True)
    resident = fields.Uuid(required=True)
    tag = base.String(required=True)
    area = base.String(required=True, allow_none=True)


class CareTag(Schema):
    """A person's tag with its note; `to` is its last day, or null."""

    class Meta:
        include = {
            "from": fields.Day(required=True),
            "to": fields.Day(required=True, allow_none=True),
        }

    id = fields.Uuid(required=True)
    resident = fields.Uuid(required=True)
    tag = base.String(required=True)
    note = base.String(required=True, allow_none=True)
    given_by = base.String(required=True, allow_none=True)
    ended_by = base.String(required=True, allow_none=True)
