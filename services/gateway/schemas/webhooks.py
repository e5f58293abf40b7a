"""Webhooks: endpoints, their secrets, what was delivered, what is sent again."""

from typing import Any

from marshmallow import Schema, ValidationError, validates_schema
from marshmallow import fields as base
from marshmallow.validate import Length, OneOf

from chassis.clock import parse
from services.gateway.schemas import fields
from services.gateway.schemas.common import Page

WEBHOOK_STATES = ("pending", "active", "disabled")
WEBHOOK_FORMATS = ("standard", "wecom", "dingtalk", "feishu")
WEBHOOK_DELIVERY_STATES = ("queued", "delivered", "failed", "skipped")
_TYPE = r"linli\.[a-z0-9]+\.[a-z0-9_]+\.v[1-9][0-9]*"
_FASTEST, _RATE = 60_000, 3_000


def _says(text: str) -> dict[str, str]:
    return {"description": text}


def _url(**options: Any) -> base.String:
    says = _says("https, without user and fragment; no address inside")
    return fields.one_of(r"https?://[!-~]{1,1990}", metadata=says, **options)


def _types(**options: Any) -> base.List[str]:
    one = fields.one_of(_TYPE)
    says = _says("none: of all; for a robot, of tickets")
    return base.List(one, validate=Length(max=50), metadata=says, **options)


class _Wanted(Schema):
    robot_secret = fields.one_of(
        "[!-~]{1,200}",
        allow_none=True,
        metadata=_says("what a robot of DingTalk or Feishu is signed with; never shown"),
    )
    description = fields.text(200, 0)
    types = _types()
    area = fields.area(allow_none=True, metadata=_says("in this place and below; null: anywhere"))
    ordered = fields.Flag(
        metadata=_says(
            "an event waits until those before it of its ticket were delivered; one that was held"
            " up for longer than two seconds before it was queued may come late: `sequence` decides"
        )
    )
    rate = fields.count(
        1, _FASTEST, metadata=_says(f"requests a minute; {_RATE} by default, less for a robot")
    )
    handshake = fields.Flag(
        metadata=_says("ask the receiver first, after CloudEvents' HTTP web hooks")
    )


class NewWebhook(_Wanted):
    """Where events are to be sent, and which. Without a `department`: the caller's own; for an
    administrator, everything. The other formats are group robots, which say in words what happened
    to a ticket; their `url` is that which the vendor gives them, key included.
    """

    example = {"url": "https://water.example.org/linli", "types": [], "ordered": True}

    format = base.String(validate=OneOf(WEBHOOK_FORMATS), metadata=_says("`standard` by default"))
    url = _url(required=True)
    department = fields.department(allow_none=True)


class WebhookChange(_Wanted):
    """What to change; `active` turns it off, and on again; a pending one is asked once more."""

    example = {"active": True}

    url = _url()
    active = fields.Flag()


class Webhook(Schema):
    """An endpoint; of a robot's `url` the key is left out. `reason` says why it is disabled
    (`gone`, `failing`, `by_hand`, `key_lost`), or how the last handshake ended.
    """

    id = fields.Uuid(required=True)
    format = base.String(required=True, validate=OneOf(WEBHOOK_FORMATS))
    url = base.String(required=True)
    description = base.String(required=True)
    department = base.String(required=True, allow_none=True)
    types = base.List(base.String(), required=True)
    area = base.String(required=True, allow_none=True)
    ordered = base.Boolean(required=True)
    rate = base.Integer(required=True)
    handshake = base.Boolean(required=True)
    state = base.String(required=True, validate=OneOf(WEBHOOK_STATES))
    reason = base.String(required=True, allow_none=True)
    failing_since = fields.Moment(required=True, allow_none=True)
    created_by = fields.Uuid(required=True, allow_none=True)
    created_at = fields.Moment(required=True)


class WebhookSecret(Schema):
    """A secret that signs, without its text; `ends_at` is when it signs no more."""

    id = fields.Uuid(required=True)
    created_at = fields.Moment(required=True)
    ends_at = fields.Moment(required=True, allow_none=True)


class WebhookSecretMade(WebhookSecret):
    """A new secret, whose text is in this answer only."""

    secret = base.String(required=True)


class WebhookMade(Webhook):
    """A new endpoint with its first secret; null for a robot, which has none of ours."""

    secret = base.Nested(WebhookSecretMade, required=True, allow_none=True)


class WebhookDeliveryQuery(Page):
    """Which deliveries to list: with every filter that is given; made from a moment to before
    another.
    """

    class Meta:
        include = {"from": fields.Moment(), "to": fields.Moment()}

    state = base.String(validate=OneOf(WEBHOOK_DELIVERY_STATES))
    type = fields.one_of(_TYPE)


class WebhookDelivery(Schema):
    """An event for an endpoint, and where that stands."""

    id = fields.Uuid(required=True)
    event = fields.Uuid(required=True, metadata=_says("its id, and the header webhook-id"))
    type = base.String(required=True)
    subject = base.String(required=True)
    state = base.String(required=True, validate=OneOf(WEBHOOK_DELIVERY_STATES))
    reason = base.String(required=True, allow_none=True)
    next_attempt_at = fields.Moment(required=True, allow_none=True)
    created_at = fields.Moment(required=True)
    settled_at = fields.Moment(required=True, allow_none=True)


class WebhookAttempt(Schema):
    """One request, without its signature or a robot's key, and the beginning of what came back."""

    number = base.Integer(required=True)
    at = fields.Moment(required=True)
    reason = base.String(required=True)
    url = base.String(required=True)
    method = base.String(required=True, allow_none=True)
    request_headers = base.Dict(keys=base.String(), values=base.String(), required=True)
    status = base.Integer(required=True, allow_none=True)
    response_headers = base.Dict(keys=base.String(), values=base.String(), required=True)
    response_excerpt = base.String(required=True)
    duration_ms = base.Integer(required=True)
    next_attempt_at = fields.Moment(required=True, allow_none=True)


class WebhookDeliveryInFull(WebhookDelivery):
    """A delivery with the event, which is the body that is sent unless a robot says it in words,
    and every attempt.
    """

    body = base.String(required=True)
    attempts = base.List(base.Nested(WebhookAttempt), required=True)


class NewReplay(Schema):
    """What to send again: what was made from a moment to before another; `failed_only` leaves out
    what was delivered.
    """

    example = {"from": "2026-11-01T08:00:00+08:00", "to": "2026-11-01T12:00:00+08:00"}

    class Meta:
        include = {"from": fields.Moment(required=True), "to": fields.Moment(required=True)}

    failed_only = fields.Flag(load_default=False)

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if parse(data["from"]) >= parse(data["to"]):
            raise ValidationError("Must be after `from`.", "to")


class Replay(Schema):
    """How many deliveries were queued again; `next` is where to go on, null when that was all."""

    requeued = base.Integer(required=True)
    next = fields.Moment(required=True, allow_none=True)
