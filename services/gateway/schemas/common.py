"""Shapes that every part of the API shares."""

from collections.abc import Collection
from functools import cache
from typing import Any

from marshmallow import INCLUDE, Schema
from marshmallow import fields as base

from services.gateway.schemas import fields

AREA_LEVELS = ("district", "sub_district", "community", "estate", "grid", "building", "unit")
LOCALES = ("zh-CN", "en")


class Empty(Schema):
    """Nothing needs to be said."""


def either(*ways: Collection[str]) -> dict[str, Any]:
    """For a schema's `also`, what its document says besides its fields: one of these ways whole."""
    return {
        "oneOf": [
            {"required": [*way], "not": {"anyOf": [{"required": [name]} for name in others]}}
            for way in ways
            if (others := sorted(set().union(*ways) - set(way)))
        ]
    }


class Names(Schema):
    """The same name in several languages."""

    zh = fields.line(100)
    en = fields.line(100)


class Page(Schema):
    """Where a list goes on (`next` of the page before), and how many items at most."""

    after = fields.cursor(metadata={"description": "`next` of the page before"})
    limit = fields.QueryCount(1, 200, load_default=50)


class Fault(Schema):
    """One part of a request that is at fault."""

    pointer = base.String(required=True, metadata={"description": "JSON pointer (RFC 6901)"})
    code = base.String(required=True)
    message = base.String(required=True)


class Problem(Schema):
    """An error (RFC 9457). Some say more, such as an illegal move its `from` and `move`."""

    class Meta:
        unknown = INCLUDE

    type = base.String(required=True, metadata={"format": "uri-reference"})
    title = base.String(required=True)
    status = base.Integer(required=True)
    detail = base.String(required=True)
    request_id = base.String(required=True)
    errors = base.List(base.Nested(Fault), required=True)


@cache
def list_of(item: type[Schema]) -> type[Schema]:
    """The schema of a page of items."""
    return Schema.from_dict(
        {
            "items": base.List(base.Nested(item), required=True),
            "next": base.String(
                required=True,
                allow_none=True,
                metadata={"description": "the cursor of the next page; null on the last"},
            ),
        },
        name=f"{item.__name__}List",
    )
