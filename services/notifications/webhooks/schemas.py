"""What webhooks accept over RPC."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.notifications.schemas import MOST
from services.notifications.webhooks.addresses import LONGEST_URL
from services.notifications.webhooks.outcome import State
from services.notifications.webhooks.robots import FORMATS, STANDARD

FASTEST = 60_000
"""Requests a minute that an endpoint may ask for."""
RATE = 3_000


def _page() -> dict[str, Any]:
    return {
        "after": fields.String(
            load_default=None, allow_none=True, validate=validate.Length(max=500)
        ),
        "limit": fields.Integer(load_default=50, strict=True, validate=validate.Range(1, MOST)),
    }


def _types(**options: Any) -> fields.List[str]:
    return fields.List(fields.String(), validate=validate.Length(max=50), **options)


def _url(**options: Any) -> fields.String:
    return fields.String(validate=validate.Length(1, LONGEST_URL), **options)


def _label(**options: Any) -> fields.String:
    return fields.String(data_key="description", validate=validate.Length(max=200), **options)


def _rate(**options: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(1, FASTEST), **options)


def _robot_secret(**options: Any) -> fields.String:
    return fields.String(allow_none=True, validate=validate.Length(1, 200), **options)


class MakeWebhook(Schema):
    """An endpoint to be made."""

    format = fields.String(load_default=STANDARD, validate=validate.OneOf(FORMATS))
    robot_secret = _robot_secret(load_default=None)
    url = _url(required=True)
    label = _label(load_default="")
    department = fields.String(load_default=None, allow_none=True)
    types = _types(load_default=list)
    area = fields.String(load_default=None, allow_none=True)
    ordered = fields.Boolean(load_default=False)
    rate = _rate(load_default=RATE)
    handshake = fields.Boolean(load_default=False)


class WebhookRef(Schema):
    """One endpoint."""

    id = fields.UUID(required=True)


class ListWebhooks(Schema):
    """A page of endpoints."""

    class Meta:
        include = _page()


class ChangeWebhook(WebhookRef):
    """What to change of an endpoint."""

    url = _url()
    robot_secret = _robot_secret()
    label = _label()
    types = _types()
    area = fields.String(allow_none=True)
    ordered = fields.Boolean()
    rate = _rate()
    handshake = fields.Boolean()
    active = fields.Boolean()


class SecretRef(WebhookRef):
    """One secret of an endpoint."""

    secret = fields.UUID(required=True)


class DeliveryRef(WebhookRef):
    """One delivery to an endpoint."""

    delivery = fields.UUID(required=True)


class ListWebhookDeliveries(WebhookRef):
    """A page of an endpoint's deliveries, newest first, with every filter that is given; made from
    the moment `from` to before `to`.
    """

    class Meta:
        include = _page()

    state = fields.String(validate=validate.OneOf([*State]))
    type = fields.String()
    since = fields.AwareDateTime(data_key="from", format="iso")
    until = fields.AwareDateTime(data_key="to", format="iso")


class Replay(WebhookRef):
    """A range of an endpoint's deliveries, by when they were made."""

    since = fields.AwareDateTime(required=True, data_key="from", format="iso")
    until = fields.AwareDateTime(required=True, data_key="to", format="iso")
    undelivered = fields.Boolean(load_default=False, data_key="failed_only")

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["since"] >= data["until"]:
            raise ValidationError("Must be after `from`.", "to")
