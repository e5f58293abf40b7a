"""Imports of files, the same for every kind."""

from marshmallow import Schema
from marshmallow import fields as base
from marshmallow.validate import OneOf

from services.gateway.schemas import fields

STATES = ("receiving", "waiting", "running", "done", "failed")


class ImportQuery(Schema):
    """How to import: `dry_run` says what would come of it, and changes nothing."""

    dry_run = fields.QueryFlag(load_default=False)
    occurred_at = fields.Moment(
        metadata={"description": "when it happened; only with the scope `import`"}
    )


class ImportError(Schema):
    """What is wrong, and where: `row` and `column` are null when it is all of the file, or all of
    the row. `column` is the name of a documented column, or the letter of another one.
    """

    row = base.Integer(required=True, allow_none=True)
    column = base.String(required=True, allow_none=True)
    code = base.String(required=True)
    message = base.String(required=True)


class ImportListed(Schema):
    """An import among others. `rows` is null until they are counted; `done` of them have been
    taken: `added`, `changed`, `unchanged` or `failed`.
    """

    id = fields.Uuid(required=True)
    state = base.String(required=True, validate=OneOf(STATES))
    dry_run = base.Boolean(required=True)
    rows = base.Integer(required=True, allow_none=True)
    done = base.Integer(required=True)
    added = base.Integer(required=True)
    changed = base.Integer(required=True)
    unchanged = base.Integer(required=True)
    failed = base.Integer(required=True)
    created_at = fields.Moment(required=True)
    finished_at = fields.Moment(required=True, allow_none=True)


class Import(ImportListed):
    """An import, and the first of its errors; all of them are under `errors`."""

    errors = base.List(base.Nested(ImportError), required=True)
