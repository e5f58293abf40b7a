"""What came of attempts, in the database: of the delivery, and of the endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, tuple_, update
from sqlalchemy.orm import Session

from services.notifications.schedule import Schedule
from services.notifications.webhooks import health, notices
from services.notifications.webhooks.claims import health_of
from services.notifications.webhooks.models import Attempt, Delivery, Endpoint
from services.notifications.webhooks.outcome import Reason, Result, State, Verdict, judge
from services.notifications.webhooks.sending import Claimed


@dataclass(frozen=True)
class Patience:
    """When a delivery is tried again, and how long an endpoint may fail before it is disabled."""

    schedule: Schedule
    endpoint: timedelta


Done = tuple[Claimed, Result, float]
"""A claim, how it ended, and a chance in [0, 1) that spreads its retry."""


def record(session: Session, done: Sequence[Done], patience: Patience, at: datetime) -> int:
    """Settle deliveries or set their next attempts; how many of the claims were still ours."""
    held = _held(session, [claimed for claimed, _, _ in done])
    ours = [each for each in done if each[0].id in held]
    for claimed, result, chance in ours:
        verdict = judge(result, claimed.failures, patience.schedule, at, chance)
        session.add(_attempt(claimed, result, at, verdict.next_attempt_at))
        if verdict.state is not State.DELIVERED:
            _settle(held[claimed.id], result, verdict, at)
    _deliver(session, [each for each, result, _ in ours if result.reason is Reason.DELIVERED], at)
    _note_health(session, ours, patience.endpoint, at)
    return len(ours)


def _held(session: Session, claims: Sequence[Claimed]) -> Mapping[UUID, Delivery]:
    """The deliveries whose claim is the latest, locked in one order."""
    numbers = [(claimed.id, claimed.claim) for claimed in claims]
    held = session.scalars(
        select(Delivery)
        .where(tuple_(Delivery.id, Delivery.claim).in_(numbers), Delivery.claimed_at.is_not(None))
        .order_by(Delivery.id)
        .with_for_update()
    )
    return {delivery.id: delivery for delivery in held}


def _settle(delivery: Delivery, result: Result, verdict: Verdict, at: datetime) -> None:
    delivery.state = verdict.state
    delivery.reason = result.reason
    delivery.failures = verdict.failures
    delivery.next_attempt_at = verdict.next_attempt_at
    delivery.claimed_at = None
    delivery.settled_at = None if verdict.state is State.QUEUED else at


def _deliver(session: Session, delivered: Sequence[Claimed], at: datetime) -> None:
    """Settle what was delivered, which is most, in one statement."""
    settled = update(Delivery).where(Delivery.id.in_([claimed.id for claimed in delivered]))
    session.execute(
        settled.values(
            state=State.DELIVERED,
            reason=Reason.DELIVERED,
            failures=0,
            next_attempt_at=None,
            claimed_at=None,
            settled_at=at,
        )
    )


def _attempt(claimed: Claimed, result: Result, at: datetime, again: datetime | None) -> Attempt:
    return Attempt(
        delivery=claimed.id,
        number=claimed.claim,
        at=at,
        reason=result.reason,
        url=claimed.url,
        request=dict(result.request),
        status=result.status,
        response=dict(result.response),
        excerpt=result.excerpt,
        duration_ms=round(result.seconds * 1000),
        next_attempt_at=again,
    )


def _note_health(session: Session, done: Sequence[Done], patience: timedelta, at: datetime) -> None:
    """How the endpoints fare now. Those that go on as well as before are left alone: most."""
    concerned = {claimed.endpoint for claimed, _, _ in done}
    failed = {
        claimed.endpoint for claimed, result, _ in done if result.reason is not Reason.DELIVERED
    }
    rows = session.scalars(
        select(Endpoint)
        .where(Endpoint.id.in_(concerned))
        .where(or_(Endpoint.id.in_(failed), Endpoint.failures > 0), Endpoint.deleted_at.is_(None))
        .order_by(Endpoint.id)
        .with_for_update(key_share=True)
    )
    for endpoint in rows:
        for claimed, result, _ in done:
            # What an address did that it has moved away from is not held against it.
            if (claimed.endpoint, claimed.url) == (endpoint.id, endpoint.url):
                _note(session, endpoint, result, patience, probing=claimed.probing, at=at)


def _note(
    session: Session,
    endpoint: Endpoint,
    result: Result,
    patience: timedelta,
    *,
    probing: bool,
    at: datetime,
) -> None:
    now = health.after(health_of(endpoint), result, probing=probing, at=at)
    endpoint.failures = now.failures
    endpoint.failing_since = now.failing_since
    endpoint.probe_at = now.probe_at
    if result.retry_after:
        # Whoever is asked for patience by one delivery spares the receiver the others, too.
        patient = at + timedelta(seconds=result.retry_after)
        endpoint.ready_at = max(endpoint.ready_at, patient)
    why = health.ended(now, result, patience, at)
    if why and endpoint.state == "active":
        notices.disable(session, endpoint, why, at)
