"""Sending again: one delivery, or all of a time range; and an event that tries an endpoint."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis import clock, events
from chassis.call import Call, named
from chassis.errors import NotFound
from services.notifications.webhooks import access, arrivals, log
from services.notifications.webhooks.errors import WebhookNotActive
from services.notifications.webhooks.event_types import TEST
from services.notifications.webhooks.models import Delivery, Endpoint
from services.notifications.webhooks.outcome import State

BATCH = 500
"""Deliveries in one transaction."""

# A delivery begins anew, with the attempts that it has.
_ANEW = {"state": State.QUEUED, "reason": None, "failures": 0, "losses": 0, "settled_at": None}


def active(session: Session, call: Call, wanted: UUID) -> Endpoint:
    """The endpoint, to which something can be sent; raises UnknownWebhook, WebhookNotActive."""
    endpoint = access.endpoint(session, call, access.WRITE, wanted)
    if endpoint.state != "active":
        raise WebhookNotActive
    return endpoint


def redeliver(session: Session, call: Call, wanted: Mapping[str, Any], at: datetime) -> Any:
    """Queue one delivery again, unless it is on its way at this moment; the delivery."""
    endpoint = active(session, call, wanted["id"])
    delivery = session.scalar(
        select(Delivery)
        .where(Delivery.id == wanted["delivery"], Delivery.endpoint == endpoint.id)
        .with_for_update()
    )
    if delivery is None:
        raise NotFound
    if delivery.claimed_at is None:
        for name, value in _ANEW.items():
            setattr(delivery, name, value)
        delivery.next_attempt_at = at
    return log.answer(delivery)


def replay(
    session: Session, endpoint: UUID, wanted: Mapping[str, Any], since: datetime, at: datetime
) -> list[datetime]:
    """Queue up to BATCH deliveries of the range again, oldest first, beginning at `since`; when
    each of them was made.
    """
    settled = [State.FAILED, State.SKIPPED]
    settled += [] if wanted["undelivered"] else [State.DELIVERED]
    found = session.execute(
        select(Delivery.id, Delivery.created_at)
        .where(Delivery.endpoint == endpoint, Delivery.state.in_(settled))
        .where(Delivery.created_at >= since, Delivery.created_at < wanted["until"])
        # What is delivered again while this goes on is not meant a second time.
        .where(Delivery.settled_at < at)
        .order_by(Delivery.created_at, Delivery.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    again = update(Delivery).where(Delivery.id.in_([row.id for row in found]))
    session.execute(again.values(**_ANEW, next_attempt_at=at))
    return [row.created_at for row in found]


def test(session: Session, call: Call, wanted: UUID, at: datetime) -> dict[str, Any]:
    """Queue an event that means nothing for this endpoint alone; its delivery. The same command
    again finds the same.
    """
    endpoint = active(session, call, wanted)
    event = UUID(named(call).command_id)
    body = _test_event(str(event), endpoint.id, at)
    arrivals.put(session, events.parse(body), body, [endpoint], at)
    query = select(Delivery).where(Delivery.endpoint == endpoint.id, Delivery.event == event)
    return log.answer(session.scalars(query).one())


def _test_event(event: str, endpoint: UUID, at: datetime) -> str:
    envelope = {
        "specversion": "1.0",
        "id": event,
        "type": TEST,
        "source": "/notifications",
        "subject": str(endpoint),
        "time": clock.iso(at),
        "datacontenttype": "application/json",
        "partitionkey": str(endpoint),
        # Microseconds: the events of a subject are numbered in their order.
        "sequence": str(int(at.timestamp() * 1_000_000)),
        "data": {"webhook": str(endpoint)},
    }
    return json.dumps(envelope, separators=(",", ":"))
