"""`webhooks`: events handed to endpoints outside, after Standard Webhooks."""

from typing import Any

from chassis.errors import Gone, NotFound
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import webhooks as schemas
from services.gateway.schemas.common import Page, list_of

_ONE = "/webhooks/<uuid:id>"
_DELIVERY = f"{_ONE}/deliveries/<uuid:delivery>"
_UNKNOWN = (NotFound, "404 unknown_webhook")
_INACTIVE = "409 webhook_not_active"


class Webhooks(Capability):
    """A department has its own; an administrator has everybody's."""

    @operation(
        "POST",
        "/webhooks",
        policy="webhooks.write",
        body=schemas.NewWebhook,
        answer=schemas.WebhookMade,
        status=201,
        location="/webhooks/{id}",
        errors=(Gone, "409 too_many_webhooks"),
        secret=True,
    )
    def make_webhook(self, ask: Ask) -> Any:
        """Have events sent somewhere, or said in a group; the secret is in this answer only."""
        return ask.of(self.notifications).make_webhook(ask.command())

    @operation(
        "GET",
        "/webhooks",
        policy="webhooks.read",
        query=Page,
        answer=list_of(schemas.Webhook),
    )
    def list_webhooks(self, ask: Ask) -> Any:
        """Where events are sent, oldest first."""
        return ask.of(self.notifications).list_webhooks(ask.command())

    @operation("GET", _ONE, policy="webhooks.read", answer=schemas.Webhook, errors=_UNKNOWN)
    def get_webhook(self, ask: Ask) -> Any:
        """Where events are sent, which, and how it fares."""
        return ask.of(self.notifications).get_webhook(ask.command())

    @operation(
        "PATCH",
        _ONE,
        policy="webhooks.write",
        body=schemas.WebhookChange,
        answer=schemas.Webhook,
        if_match="whole",
        errors=(*_UNKNOWN, "409 key_lost"),
    )
    def change_webhook(self, ask: Ask) -> Any:
        """Send elsewhere, send other events, send nothing, or send again."""
        ask.compare(lambda: ask.of(self.notifications).get_webhook(dict(ask.path)))
        return ask.of(self.notifications).change_webhook(ask.command())

    @operation("DELETE", _ONE, policy="webhooks.write", status=204, errors=_UNKNOWN)
    def remove_webhook(self, ask: Ask) -> None:
        """Send nothing there any more, and forget what was sent."""
        ask.of(self.notifications).remove_webhook(ask.command())

    @operation(
        "POST",
        f"{_ONE}/secrets",
        policy="webhooks.write",
        answer=schemas.WebhookSecretMade,
        status=201,
        errors=(*_UNKNOWN, "409 too_many_secrets", "409 not_for_robots"),
        secret=True,
    )
    def make_webhook_secret(self, ask: Ask) -> Any:
        """Make another secret, in this answer only; those before it go on signing for a day."""
        return ask.of(self.notifications).make_webhook_secret(ask.command())

    @operation(
        "GET",
        f"{_ONE}/secrets",
        policy="webhooks.read",
        answer=list_of(schemas.WebhookSecret),
        errors=_UNKNOWN,
    )
    def list_webhook_secrets(self, ask: Ask) -> Any:
        """The secrets that sign, oldest first, without their texts."""
        return ask.of(self.notifications).list_webhook_secrets(ask.command())

    @operation(
        "DELETE",
        f"{_ONE}/secrets/<uuid:secret>",
        policy="webhooks.write",
        status=204,
        errors=(*_UNKNOWN, "409 last_secret"),
    )
    def end_webhook_secret(self, ask: Ask) -> None:
        """Sign with an older secret no more."""
        ask.of(self.notifications).end_webhook_secret(ask.command())

    @operation(
        "POST",
        f"{_ONE}/test",
        policy="webhooks.write",
        answer=schemas.WebhookDelivery,
        status=202,
        errors=(*_UNKNOWN, _INACTIVE),
    )
    def test_webhook(self, ask: Ask) -> Any:
        """Send an event that means nothing."""
        return ask.of(self.notifications).test_webhook(ask.command())

    @operation(
        "GET",
        f"{_ONE}/deliveries",
        policy="webhooks.read",
        query=schemas.WebhookDeliveryQuery,
        answer=list_of(schemas.WebhookDelivery),
        errors=_UNKNOWN,
    )
    def list_webhook_deliveries(self, ask: Ask) -> Any:
        """What was sent and what became of it, newest first."""
        return ask.of(self.notifications).list_webhook_deliveries(ask.command())

    @operation(
        "GET",
        _DELIVERY,
        policy="webhooks.read",
        answer=schemas.WebhookDeliveryInFull,
        errors=_UNKNOWN,
    )
    def get_webhook_delivery(self, ask: Ask) -> Any:
        """One delivery, with each request and what came back."""
        return ask.of(self.notifications).get_webhook_delivery(ask.command())

    @operation(
        "POST",
        f"{_DELIVERY}/redelivery",
        policy="webhooks.write",
        answer=schemas.WebhookDelivery,
        status=202,
        errors=(*_UNKNOWN, _INACTIVE),
    )
    def redeliver(self, ask: Ask) -> Any:
        """Send one event again, whatever became of it."""
        return ask.of(self.notifications).redeliver(ask.command())

    @operation(
        "POST",
        f"{_ONE}/replays",
        policy="webhooks.write",
        body=schemas.NewReplay,
        answer=schemas.Replay,
        status=202,
        errors=(*_UNKNOWN, _INACTIVE),
    )
    def replay_webhook(self, ask: Ask) -> Any:
        """Send the events of a time range again."""
        return ask.of(self.notifications).replay_webhook(ask.command())
