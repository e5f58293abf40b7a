"""The log of an endpoint: each delivery, and of one each attempt with request and response."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call
from chassis.errors import NotFound
from services.notifications import cursors
from services.notifications.webhooks import access
from services.notifications.webhooks.models import Attempt, Delivery, Event

_ORDER = (Delivery.created_at, Delivery.id)


def page(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`{items, next}`: an endpoint's deliveries, newest first. Raises UnknownWebhook, BadCursor."""
    endpoint = access.endpoint(session, call, access.READ, wanted["id"])
    query = select(Delivery).where(Delivery.endpoint == endpoint.id)
    for name in ("state", "type"):
        if wanted.get(name) is not None:
            query = query.where(getattr(Delivery, name) == wanted[name])
    if wanted.get("since") is not None:
        query = query.where(Delivery.created_at >= wanted["since"])
    if wanted.get("until") is not None:
        query = query.where(Delivery.created_at < wanted["until"])
    if wanted["after"] is not None:
        position = cursors.decode(wanted["after"], clock.parse, UUID)
        query = query.where(tuple_(*_ORDER) < tuple_(*position))
    newest = (part.desc() for part in _ORDER)
    found = session.scalars(query.order_by(*newest).limit(wanted["limit"] + 1)).all()
    return cursors.page(
        found,
        wanted["limit"],
        key=lambda each: (each.created_at.isoformat(), each.id),
        answer=answer,
    )


def one(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A delivery with what was sent, and every attempt. Raises UnknownWebhook, NotFound."""
    endpoint = access.endpoint(session, call, access.READ, wanted["id"])
    found = session.execute(
        select(Delivery, Event.body)
        .join(Event, Event.id == Delivery.event)
        .where(Delivery.id == wanted["delivery"], Delivery.endpoint == endpoint.id)
    ).one_or_none()
    if found is None:
        raise NotFound
    tried = select(Attempt).where(Attempt.delivery == found.Delivery.id).order_by(Attempt.number)
    attempts = [_attempt(attempt) for attempt in session.scalars(tried)]
    return {**answer(found.Delivery), "body": found.body, "attempts": attempts}


def answer(delivery: Delivery) -> dict[str, Any]:
    """A delivery as its endpoint's owner sees it."""
    return {
        "id": str(delivery.id),
        "event": str(delivery.event),
        "type": delivery.type,
        "subject": delivery.subject,
        "state": delivery.state,
        "reason": delivery.reason,
        "next_attempt_at": _moment(delivery.next_attempt_at),
        "created_at": _moment(delivery.created_at),
        "settled_at": _moment(delivery.settled_at),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "at": _moment(attempt.at),
        "reason": attempt.reason,
        "url": attempt.url,
        "method": attempt.request.get("method"),
        "request_headers": attempt.request.get("headers", {}),
        "status": attempt.status,
        "response_headers": attempt.response,
        "response_excerpt": attempt.excerpt,
        "duration_ms": attempt.duration_ms,
        "next_attempt_at": _moment(attempt.next_attempt_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return clock.iso(moment) if moment else None
