"""The inbox of a person, and what became of messages."""

from marshmallow import Schema
from marshmallow import fields as base
from marshmallow.validate import Equal, OneOf

from services.gateway.schemas import fields
from services.gateway.schemas.common import Page

DELIVERY_STATES = ("queued", "collected", "delivered", "failed", "skipped")
DELIVERY_REASONS = (
    "delivered", "provider_timeout", "provider_unreachable", "provider_error", "provider_busy",
    "provider_unauthorized", "provider_untrusted", "provider_refused", "residents_unavailable",
    "residents_refused", "unknown_person", "no_phone", "no_email", "unrenderable", "worker_lost",
    "turned_off", "in_digest", "quiet_hours", "first_channel_failed", "superseded", "expired",
    "held_after_restore",
)  # fmt: skip


class InboxQuery(Page):
    """Which messages to list."""

    unread = fields.QueryFlag(load_default=False)


class Message(Schema):
    """A message in a person's inbox, in the reader's language."""

    id = fields.Uuid(required=True)
    purpose = base.String(required=True)
    title = base.String(required=True)
    body = base.String(required=True)
    ticket = fields.Uuid(required=True, allow_none=True)
    number = base.String(required=True, allow_none=True)
    at = fields.Moment(required=True)
    read_at = fields.Moment(required=True, allow_none=True)


class MessageRead(Schema):
    """That a message was read."""

    example = {"read": True}

    read = fields.Flag(required=True, validate=Equal(True))


class Unread(Schema):
    """How many messages are unread."""

    unread = base.Integer(required=True)


class DeliveryQuery(Page):
    """Which deliveries to list: with every filter that is given; made from a moment to before
    another.
    """

    class Meta:
        include = {"from": fields.Moment(), "to": fields.Moment()}

    state = base.String(validate=OneOf(DELIVERY_STATES))
    reason = base.String(validate=OneOf(DELIVERY_REASONS))
    channel = base.String(validate=OneOf(["email", "sms"]))
    purpose = fields.one_of("[a-z_]{1,40}")
    person = fields.Uuid()
    ticket = fields.Uuid()
    urgent = fields.QueryFlag()


class Attempt(Schema):
    """One try to deliver; `status` is the provider's answer, `duration_ms` milliseconds."""

    number = base.Integer(required=True)
    at = fields.Moment(required=True, allow_none=True)
    reason = base.String(required=True, allow_none=True)
    status = base.Integer(required=True, allow_none=True)
    duration_ms = base.Integer(required=True, allow_none=True)
    next_attempt_at = fields.Moment(required=True, allow_none=True)


class Delivery(Schema):
    """A message on its way by one channel; to whom by id."""

    id = fields.Uuid(required=True)
    purpose = base.String(required=True)
    channel = base.String(required=True)
    urgent = base.Boolean(required=True)
    digest = fields.Uuid(
        required=True,
        allow_none=True,
        metadata={"description": "the delivery of the digest that told this"},
    )
    instead_of = fields.Uuid(
        required=True,
        allow_none=True,
        metadata={"description": "the delivery by another channel that failed for good"},
    )
    person = fields.Uuid(required=True, allow_none=True)
    ticket = fields.Uuid(required=True, allow_none=True)
    state = base.String(required=True)
    reason = base.String(required=True, allow_none=True)
    next_attempt_at = fields.Moment(required=True, allow_none=True)
    created_at = fields.Moment(required=True)
    settled_at = fields.Moment(required=True, allow_none=True)
    attempts = base.List(base.Nested(Attempt), required=True)
