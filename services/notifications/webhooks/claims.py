"""Deliveries in the database: claimed by a sender, settled by its record.

A claim is a lease, as for messages to people. Whoever claims holds the endpoint's row for that one
short transaction, so that its rate and its breaker hold for all senders together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Uuid,
    column,
    exists,
    func,
    or_,
    select,
    true,
    update,
    values,
)
from sqlalchemy.orm import Session, aliased

from services.notifications.webhooks import health
from services.notifications.webhooks.health import Health
from services.notifications.webhooks.models import Attempt, Delivery, Endpoint, Event, Secret
from services.notifications.webhooks.outcome import MOST_LOSSES, Reason, State
from services.notifications.webhooks.sealing import Seal
from services.notifications.webhooks.sending import Claimed


@dataclass(frozen=True)
class Terms:
    """On which terms deliveries are claimed: for how long, and how many of one endpoint at a
    time.
    """

    lease: timedelta
    at_once: int


def claim(session: Session, seal: Seal, at: datetime, slots: int, terms: Terms) -> list[Claimed]:
    """Take up to `slots` deliveries that are due; other senders take those of other endpoints
    meanwhile, and wait for none.
    """
    found = _lock_due(session, at, slots)
    allowed = _allowances(session, found, at, slots, terms.at_once)
    due = _due(session, allowed, at)
    lost = _write_off(session, due, at)
    ids = [delivery for delivery, _ in due if delivery not in lost]
    claimed = _take(session, ids, at, terms.lease)
    _spend(found, [row.endpoint for row in claimed], at)
    return _with_contents(session, seal, {each.id: each for each in found}, claimed, at)


def _lock_due(session: Session, at: datetime, limit: int) -> Sequence[Endpoint]:
    """Endpoints with something due, those first that were served longest ago. Their keys stay free:
    events that arrive meanwhile refer to them.
    """
    # Lateral, so that each endpoint's look-up ends at the first row however many are queued.
    due = (
        select(Delivery.id)
        .where(Delivery.endpoint == Endpoint.id, Delivery.state == State.QUEUED)
        .where(Delivery.next_attempt_at <= at)
        .limit(1)
        .lateral()
    )
    return session.scalars(
        select(Endpoint)
        .join(due, true())
        .where(Endpoint.state == "active", Endpoint.deleted_at.is_(None), Endpoint.ready_at <= at)
        .where(or_(Endpoint.probe_at.is_(None), Endpoint.probe_at <= at))
        .order_by(Endpoint.served_at)
        .limit(limit)
        .with_for_update(of=Endpoint, key_share=True, skip_locked=True)
    ).all()


def _allowances(
    session: Session, found: Sequence[Endpoint], at: datetime, slots: int, at_once: int
) -> dict[UUID, int]:
    """How many of each endpoint may be begun now, together no more than `slots`."""
    in_hand = _in_hand(session, [endpoint.id for endpoint in found], at)
    allowed: dict[UUID, int] = {}
    for endpoint in found:
        endpoint.tokens = health.refill(endpoint.tokens, endpoint.tokens_at, endpoint.rate, at)
        endpoint.tokens_at = endpoint.served_at = at
        may = health.allowance(
            health_of(endpoint),
            most=at_once,
            in_hand=in_hand.get(endpoint.id, 0),
            tokens=endpoint.tokens,
            at=at,
        )
        allowed[endpoint.id] = min(may, slots)
        slots -= allowed[endpoint.id]
    return {endpoint: may for endpoint, may in allowed.items() if may}


def _in_hand(session: Session, endpoints: Sequence[UUID], at: datetime) -> Mapping[UUID, int]:
    counted = (
        select(Delivery.endpoint, func.count())
        .where(Delivery.endpoint.in_(endpoints), Delivery.claimed_at.is_not(None))
        .where(Delivery.next_attempt_at > at)
        .group_by(Delivery.endpoint)
    )
    return {row[0]: row[1] for row in session.execute(counted)}


def _due(session: Session, allowed: Mapping[UUID, int], at: datetime) -> list[tuple[UUID, bool]]:
    """What is due of each endpoint, oldest first, as many as allowed, each with whether a sender
    had it before; locked.
    """
    if not allowed:
        return []
    shares = values(column("endpoint", Uuid), column("share", Integer), name="allowed").data(
        list(allowed.items())
    )
    due = (
        select(Delivery.id, Delivery.claimed_at.is_not(None).label("lost"))
        .where(Delivery.endpoint == shares.c.endpoint, Delivery.state == State.QUEUED)
        .where(Delivery.next_attempt_at <= at, or_(~Endpoint.ordered, _first_of_its_subject()))
        .order_by(Delivery.next_attempt_at)
        .limit(shares.c.share)
        .with_for_update(of=Delivery, skip_locked=True)
        .correlate(shares, Endpoint)
        .lateral()
    )
    query = (
        select(due.c.id, due.c.lost)
        .select_from(shares)
        .join(Endpoint, Endpoint.id == shares.c.endpoint)
        .join(due, true())
    )
    return [(row.id, row.lost) for row in session.execute(query)]


def _first_of_its_subject() -> ColumnElement[bool]:
    """That nothing earlier of the same subject is still to be delivered."""
    earlier = aliased(Delivery)
    return ~exists().where(
        earlier.endpoint == Delivery.endpoint,
        earlier.subject == Delivery.subject,
        earlier.sequence < Delivery.sequence,
        earlier.state == State.QUEUED,
    )


def _write_off(session: Session, due: Sequence[tuple[UUID, bool]], at: datetime) -> frozenset[UUID]:
    """Note the attempts of senders that died; which deliveries are given up for it."""
    lost = [delivery for delivery, was_claimed in due if was_claimed]
    given_up = set()
    for delivery in session.scalars(select(Delivery).where(Delivery.id.in_(lost))) if lost else ():
        delivery.losses += 1
        delivery.claimed_at = None
        session.add(_lost_attempt(delivery, at))
        if delivery.losses >= MOST_LOSSES:
            delivery.state, delivery.reason = State.FAILED, Reason.SENDER_LOST
            delivery.next_attempt_at, delivery.settled_at = None, at
            given_up.add(delivery.id)
    session.flush()
    return frozenset(given_up)


def _take(session: Session, ids: Sequence[UUID], at: datetime, lease: timedelta) -> Sequence[Any]:
    taken = (
        update(Delivery)
        .where(Delivery.id.in_(ids))
        .values(claim=Delivery.claim + 1, claimed_at=at, next_attempt_at=at + lease)
        .returning(
            Delivery.id, Delivery.endpoint, Delivery.event, Delivery.claim, Delivery.failures
        )
        .execution_options(synchronize_session=False)
    )
    return session.execute(taken).all()


def _lost_attempt(delivery: Delivery, at: datetime) -> Attempt:
    return Attempt(
        delivery=delivery.id,
        number=delivery.claim,
        at=at,
        reason=Reason.SENDER_LOST,
        url="",
        request={},
        response={},
        excerpt="",
        duration_ms=0,
        next_attempt_at=at if delivery.losses < MOST_LOSSES else None,
    )


def _spend(found: Sequence[Endpoint], taken: Sequence[UUID], at: datetime) -> None:
    """Take a token for each delivery; an endpoint without one is not looked at until it has."""
    for endpoint in found:
        endpoint.tokens -= taken.count(endpoint.id)
        if endpoint.tokens < 1:
            endpoint.ready_at = health.ready_at(endpoint.tokens, endpoint.rate, at)


def _with_contents(
    session: Session,
    seal: Seal,
    endpoints: Mapping[UUID, Endpoint],
    claimed: Sequence[Any],
    at: datetime,
) -> list[Claimed]:
    ids = {row.event for row in claimed}
    found = session.execute(select(Event.id, Event.body).where(Event.id.in_(ids)))
    bodies = {row.id: row.body for row in found}
    secrets = live_secrets(session, seal, {row.endpoint for row in claimed}, at)
    return [
        Claimed(
            id=row.id,
            claim=row.claim,
            endpoint=row.endpoint,
            probing=endpoints[row.endpoint].probe_at is not None,
            failures=row.failures,
            event=row.event,
            url=endpoints[row.endpoint].url,
            body=bodies[row.event],
            secrets=secrets[row.endpoint],
        )
        for row in claimed
    ]


def live_secrets(
    session: Session, seal: Seal, endpoints: set[UUID], at: datetime
) -> dict[UUID, tuple[str, ...]]:
    """What each endpoint's deliveries are signed with, the newest first."""
    live = select(Secret).where(
        Secret.endpoint.in_(endpoints), or_(Secret.ends_at.is_(None), Secret.ends_at > at)
    )
    found: dict[UUID, tuple[str, ...]] = dict.fromkeys(endpoints, ())
    for secret in session.scalars(live.order_by(Secret.created_at.desc(), Secret.id.desc())):
        found[secret.endpoint] += (seal.open(secret.endpoint, secret.sealed),)
    return found


def health_of(endpoint: Endpoint) -> Health:
    """How the endpoint fares, as the rules see it."""
    return Health(endpoint.failures, endpoint.failing_since, endpoint.probe_at)
