"""Asking a receiver whether it wants our events, where it is to be asked: the handshake of the
CloudEvents specification "HTTP 1.1 Web Hooks for Event Delivery", section 4.

An OPTIONS request names us; the endpoint is active once the answer allows us, at most at the rate
that it names. Until then it is asked again on the schedule of deliveries. Its callback is not used.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.notifications.schedule import Schedule, next_attempt
from services.notifications.webhooks.models import Endpoint
from services.notifications.webhooks.outcome import Reason, Result
from services.notifications.webhooks.sending import Outgoing


@dataclass(frozen=True)
class Asked:
    """An endpoint whose receiver is being asked; `number` proves that it is still this asking."""

    endpoint: UUID
    number: int
    url: str
    rate: int


def claim(session: Session, at: datetime, limit: int, lease: timedelta) -> list[Asked]:
    """Take up to `limit` endpoints whose receivers are to be asked now."""
    due = session.scalars(
        select(Endpoint)
        .where(Endpoint.handshake_at <= at, Endpoint.deleted_at.is_(None))
        .order_by(Endpoint.handshake_at)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    for endpoint in due:
        endpoint.handshakes += 1
        endpoint.handshake_at = at + lease
    return [Asked(each.id, each.handshakes, each.url, each.rate) for each in due]


def question(asked: Asked, origin: str) -> Outgoing:
    """The request that asks."""
    headers = {"WebHook-Request-Origin": origin, "WebHook-Request-Rate": str(asked.rate)}
    return Outgoing(asked.url, headers, method="OPTIONS")


def granted(result: Result, origin: str) -> bool:
    """Whether the answer allows us: its WebHook-Allowed-Origin is ours, or `*`."""
    return result.reason is Reason.DELIVERED and _header(result, "webhook-allowed-origin") in (
        origin,
        "*",
    )


def allowed_rate(result: Result) -> int | None:
    """The requests a minute that the answer allows; None for any number."""
    told = _header(result, "webhook-allowed-rate")
    return int(told) if told.isdecimal() and 0 < int(told) < 10**6 else None


def record(
    session: Session,
    asked: Asked,
    result: Result,
    *,
    origin: str,
    schedule: Schedule,
    at: datetime,
    chance: float,
) -> None:
    """Let the endpoint be active, or ask again later, or give up: it stays pending."""
    endpoint = session.scalar(
        select(Endpoint)
        .where(Endpoint.id == asked.endpoint, Endpoint.url == asked.url)
        .where(Endpoint.handshakes == asked.number, Endpoint.handshake_at.is_not(None))
        .with_for_update(key_share=True)
    )
    if endpoint is None:
        return
    if granted(result, origin):
        endpoint.state, endpoint.reason, endpoint.handshake_at = "active", None, None
        endpoint.allowed_rate = allowed_rate(result)
        endpoint.rate = min(endpoint.rate, endpoint.allowed_rate or endpoint.rate)
        return
    refused = result.reason is Reason.DELIVERED
    endpoint.reason = Reason.NOT_ALLOWED if refused else result.reason
    endpoint.handshake_at = next_attempt(
        schedule, asked.number, at, chance=chance, not_before=result.retry_after
    )


def begin(endpoint: Endpoint, at: datetime) -> None:
    """Ask the receiver, from the beginning."""
    endpoint.state, endpoint.reason = "pending", None
    endpoint.handshake_at, endpoint.handshakes, endpoint.allowed_rate = at, 0, None


def _header(result: Result, name: str) -> str:
    named = {key.lower(): value for key, value in result.response.items()}
    return named.get(name, "").strip()
