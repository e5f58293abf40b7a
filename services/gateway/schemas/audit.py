"""The audit of personal data, as the registry keeps it."""

from marshmallow import Schema
from marshmallow import fields as base

from services.gateway.schemas import fields
from services.gateway.schemas.common import Page


class ResidentAuditQuery(Page):
    """Which entries about a person, newest first: of an action, from a moment to before another."""

    class Meta:
        include = {"from": fields.Moment(), "to": fields.Moment()}

    action = fields.one_of("[a-z._]{1,40}")


class AuditQuery(ResidentAuditQuery):
    """Which entries, newest first: about a person, by an actor, of an action, in a period."""

    person = fields.Uuid()
    actor = fields.text(100)


class AuditActor(Schema):
    """Who it was; with an API key, `id` and `kind` are those of its owner."""

    id = base.String(required=True, allow_none=True)
    kind = base.String(required=True)
    api_key = base.String(required=True, allow_none=True)


class AuditEntry(Schema):
    """One use of personal data, or one refusal: names of fields, never what is in them."""

    class Meta:
        # A schema has `fields` of its own.
        include = {"fields": base.List(base.String(), required=True)}

    id = fields.Uuid(required=True)
    at = fields.Moment(required=True)
    actor = base.Nested(AuditActor, required=True)
    action = base.String(
        required=True,
        metadata={"description": "what was done; of a refusal, the operation that was wanted"},
    )
    kind = base.String(required=True, metadata={"description": "of the subject"})
    subject = fields.Uuid(required=True, allow_none=True)
    people = base.Integer(required=True, metadata={"description": "how many it concerned"})
    found_by = base.List(base.String(), required=True)
    community = base.String(required=True, allow_none=True)
    request_id = base.String(required=True)
    outcome = base.String(required=True, metadata={"description": "`done` or `refused`"})
    reason = base.String(required=True, allow_none=True)
