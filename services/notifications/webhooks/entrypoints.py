"""Webhooks on the surface of notifications: endpoints, secrets, deliveries; and every event."""

import time
from typing import Any

from chassis import clock
from chassis.clock import now
from chassis.consumer import on_event
from chassis.events import CloudEvent
from chassis.rpc import rpc
from services.notifications.webhooks import (
    arrivals,
    clerks,
    endpoints,
    keys,
    log,
    replays,
    schemas,
)
from services.notifications.webhooks.access import READ, endpoint
from services.notifications.webhooks.event_types import EVENT_TYPES
from services.notifications.webhooks.sealing import Seal
from services.notifications.webhooks.settings import WebhookSettings

Json = dict[str, Any]

# Seconds that a replay works before it answers how far it came.
_REPLAY_FOR = 1.0


class Webhooks:
    """Each method raises UnknownWebhook for what the caller may not see, Forbidden for who has no
    webhooks, Invalid for a command of another shape.
    """

    db: Any
    call: Any
    settings: Any

    @rpc
    def make_webhook(self, command: Json) -> Json:
        """Make an endpoint; its first secret is in this answer only. `command`: MakeWebhook;
        raises Gone when the same command made one that was deleted.
        """
        wanted = schemas.MakeWebhook().load(command)
        with self.db.transaction() as session:
            return endpoints.make(
                session,
                self.call,
                wanted,
                seal=self._seal,
                settings=self._webhooks,
                at=now(),
            )

    @rpc
    def list_webhooks(self, query: Json) -> Json:
        """A page of the endpoints that the caller may see. `query`: ListWebhooks."""
        page = schemas.ListWebhooks().load(query)
        with self.db.read() as session:
            return endpoints.page(session, self.call, page)

    @rpc
    def get_webhook(self, query: Json) -> Json:
        """One endpoint. `query`: WebhookRef."""
        wanted = schemas.WebhookRef().load(query)
        with self.db.read() as session:
            return endpoints.answer(endpoint(session, self.call, READ, wanted["id"]))

    @rpc
    def change_webhook(self, command: Json) -> Json:
        """Change an endpoint, turn it off or on again. `command`: ChangeWebhook; raises KeyLost."""
        wanted = schemas.ChangeWebhook().load(command)
        with self.db.transaction() as session:
            return endpoints.change(
                session, self.call, wanted, seal=self._seal, settings=self._webhooks, at=now()
            )

    @rpc
    def remove_webhook(self, command: Json) -> Json:
        """Send nothing there any more. `command`: WebhookRef."""
        wanted = schemas.WebhookRef().load(command)
        with self.db.transaction() as session:
            endpoints.remove(session, self.call, wanted["id"], now())
        return {}

    @rpc
    def make_webhook_secret(self, command: Json) -> Json:
        """Make another secret, in this answer only; older ones end in a while. `command`:
        WebhookRef; raises NotForRobots, TooManySecrets.
        """
        wanted = schemas.WebhookRef().load(command)
        overlap = self._webhooks.overlap
        with self.db.transaction() as session:
            return keys.rotate(
                session, self.call, wanted["id"], self._seal, overlap=overlap, at=now()
            )

    @rpc
    def list_webhook_secrets(self, query: Json) -> Json:
        """The live secrets, without their texts. `query`: WebhookRef."""
        wanted = schemas.WebhookRef().load(query)
        with self.db.read() as session:
            return keys.listed(session, self.call, wanted["id"], now())

    @rpc
    def end_webhook_secret(self, command: Json) -> Json:
        """Sign with a secret no more. `command`: SecretRef; raises LastSecret."""
        wanted = schemas.SecretRef().load(command)
        with self.db.transaction() as session:
            keys.end(session, self.call, wanted["id"], wanted["secret"], now())
        return {}

    @rpc
    def test_webhook(self, command: Json) -> Json:
        """Send an event that means nothing. `command`: WebhookRef; raises WebhookNotActive."""
        wanted = schemas.WebhookRef().load(command)
        with self.db.transaction() as session:
            return replays.test(session, self.call, wanted["id"], now())

    @rpc
    def list_webhook_deliveries(self, query: Json) -> Json:
        """A page of an endpoint's deliveries. `query`: ListWebhookDeliveries."""
        page = schemas.ListWebhookDeliveries().load(query)
        with self.db.read() as session:
            return log.page(session, self.call, page)

    @rpc
    def get_webhook_delivery(self, query: Json) -> Json:
        """One delivery with its body and attempts. `query`: DeliveryRef."""
        wanted = schemas.DeliveryRef().load(query)
        with self.db.read() as session:
            return log.one(session, self.call, wanted)

    @rpc
    def redeliver(self, command: Json) -> Any:
        """Send one delivery again. `command`: DeliveryRef; raises WebhookNotActive."""
        wanted = schemas.DeliveryRef().load(command)
        with self.db.transaction() as session:
            return replays.redeliver(session, self.call, wanted, now())

    @rpc
    def replay_webhook(self, command: Json) -> Json:
        """`{requeued, next}`: send what was made in a time range again, some at a time; from
        where to go on, null when that was all. `command`: Replay; raises WebhookNotActive.
        """
        wanted = schemas.Replay().load(command)
        with self.db.read() as session:
            to = replays.active(session, self.call, wanted["id"]).id
        requeued, since, at = 0, wanted["since"], now()
        ends = time.monotonic() + _REPLAY_FOR
        while time.monotonic() < ends:
            with self.db.transaction() as session:
                made = replays.replay(session, to, wanted, since, at)
            requeued += len(made)
            if len(made) < replays.BATCH:
                return {"requeued": requeued, "next": None}
            since = made[-1]
        return {"requeued": requeued, "next": clock.iso(since)}

    @on_event(*EVENT_TYPES)
    def on_any_event(self, event: CloudEvent) -> None:
        """Endpoints get what concerns them."""
        # Most concern none, and then there is nothing to remember either.
        with self.db.read() as session:
            if not arrivals.concerned(session, event):
                return
        with self.db.transaction(event) as session:
            arrivals.keep(session, event, now())

    @on_event(*clerks.TYPES)
    def on_duty_changed(self, event: CloudEvent) -> None:
        """Keep who works for a department."""
        with self.db.transaction(event) as session:
            clerks.keep(session, event)

    @property
    def _webhooks(self) -> WebhookSettings:
        found: WebhookSettings = self.settings.webhooks
        return found

    @property
    def _seal(self) -> Seal:
        return Seal(*self._webhooks.keys)
