"""The shapes of what imports accept."""

import base64
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import OneOf, Range

from services.residents.imports.kinds import KINDS
from services.residents.schemas import Key, Page

MOST_PARTS = 128
LARGEST_PART = 1 << 20
"""Bytes."""


class Content(fields.String):
    """Bytes in base64."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        try:
            content = base64.b64decode(
                super()._deserialize(value, attr, data, **kwargs), None, True
            )
        except ValueError:
            raise ValidationError("Not base64.") from None
        if not 1 <= len(content) <= LARGEST_PART:
            raise ValidationError("Too large, or empty.")
        return content


class BeginImport(Schema):
    """A file to come, in so many parts."""

    kind = fields.String(required=True, validate=OneOf(sorted(KINDS)))
    dry_run = fields.Boolean(load_default=False)
    parts = fields.Integer(required=True, validate=Range(1, MOST_PARTS))


class ImportRef(Schema):
    """One import."""

    kind = fields.String(required=True, validate=OneOf(sorted(KINDS)))
    id = Key(UUID)


class AddImportPart(ImportRef):
    """A part of the file, counted from 0."""

    number = fields.Integer(required=True, validate=Range(0, MOST_PARTS - 1))
    content = Content(required=True)


class ListImports(Page):
    """Which imports to list: one's own of a kind."""

    kind = fields.String(required=True, validate=OneOf(sorted(KINDS)))


class ListImportFaults(ImportRef, Page):
    """What was found at fault in one import."""
