"""Deliveries in the database: claimed by a sender, settled by its record.

A claim is a lease, as for messages to people. Whoever claims holds the endpoint's row for that one
short transaction, so that its rate and its breaker hold for all senders together.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Float,
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

from services.notifications.webhooks import contents, health, notices
from services.notifications.webhooks.health import Health
from services.notifications.webhooks.models import Attempt, Delivery, Endpoint
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


_NEEDED = (
    *(Endpoint.id, Endpoint.format, Endpoint.url, Endpoint.robot),
    *(Endpoint.rate, Endpoint.tokens, Endpoint.tokens_at),
    *(Endpoint.failures, Endpoint.failing_since, Endpoint.probe_at),
    *(Endpoint.ready_at, Endpoint.served_at),
)


@dataclass(frozen=True)
class _Turn:
    """An endpoint (a row of _NEEDED) that has its turn, and how many of its deliveries it is
    granted; it `waits` for slots that others have.
    """

    endpoint: Any
    tokens: float
    granted: int
    waits: bool

    def after(self, taken: int, at: datetime) -> tuple[UUID, float, datetime, datetime]:
        """Its id, tokens, `ready_at` and `served_at` once so many were taken."""
        left, rate = self.tokens - taken, self.endpoint.rate
        ready = health.ready_at(left, rate, at) if left < 1 else self.endpoint.ready_at
        return self.endpoint.id, left, ready, self.endpoint.served_at if self.waits else at


# Built once: an idle sender asks nothing else. The first, as the index has it: to look whether
# there is any, PostgreSQL would read the whole table where it expects many.
_WAITS = (
    select(Delivery.id).where(Delivery.state == State.QUEUED).order_by(Delivery.endpoint).limit(1)
)
_IS_ASKED = exists().where(Endpoint.handshake_at.is_not(None))
_LOOK = select(or_(_WAITS.scalar_subquery().is_not(None), _IS_ASKED))


def anything_waits(connection: Connection) -> bool:
    """Whether there is a delivery, due or not, or an endpoint whose receiver is to be asked."""
    return bool(connection.scalar(_LOOK))


def claim(session: Session, seal: Seal, at: datetime, slots: int, terms: Terms) -> list[Claimed]:
    """Take up to `slots` deliveries that are due; other senders take those of other endpoints
    meanwhile, and wait for none. An endpoint whose secret does not open is disabled.
    """
    found = _lock_due(session, at, slots)
    if not found:
        return []
    turns = _turns(session, found, at, slots, terms.at_once)
    granted = {turn.endpoint.id: turn for turn in turns if turn.granted}
    spoken_to = contents.opened(session, seal, [turn.endpoint for turn in granted.values()], at)
    _give_up(session, granted.keys() - spoken_to.keys(), at)
    due = _due(session, {key: granted[key].granted for key in spoken_to}, at)
    lost = _write_off(session, due, at)
    ids = [delivery for delivery, _ in due if delivery not in lost]
    claimed = _take(session, ids, at, terms.lease)
    _spend(session, turns, Counter(row.endpoint for row in claimed), at)
    return contents.filled(session, [turn.endpoint for turn in turns], claimed, spoken_to)


def _lock_due(session: Session, at: datetime, limit: int) -> Sequence[Any]:
    """Endpoints with something due, those first that were served longest ago. Their keys stay free:
    events that arrive meanwhile refer to them.
    """
    # Lateral, so that each endpoint's look-up ends at the first row however many are queued.
    due = (
        select(Delivery.id)
        .where(Delivery.endpoint == Endpoint.id, Delivery.state == State.QUEUED)
        .where(Delivery.next_attempt_at <= at, _in_turn())
        .limit(1)
        .lateral()
    )
    return session.execute(
        select(*_NEEDED)
        .join(due, true())
        .where(Endpoint.state == "active", Endpoint.deleted_at.is_(None), Endpoint.ready_at <= at)
        .where(or_(Endpoint.probe_at.is_(None), Endpoint.probe_at <= at))
        .order_by(Endpoint.served_at)
        .limit(limit)
        .with_for_update(of=Endpoint, key_share=True, skip_locked=True)
    ).all()


def _turns(
    session: Session, found: Sequence[Any], at: datetime, slots: int, at_once: int
) -> list[_Turn]:
    """How many of each endpoint may be begun now, together no more than `slots`."""
    in_hand = _in_hand(session, [endpoint.id for endpoint in found], at)
    turns = []
    for each in found:
        tokens = health.refill(each.tokens, each.tokens_at, each.rate, at)
        hands = in_hand.get(each.id, 0)
        may = health.allowance(health_of(each), most=at_once, in_hand=hands, tokens=tokens, at=at)
        granted = min(may, slots)
        slots -= granted
        # Whoever got nothing for want of slots is first next time.
        turns.append(_Turn(each, tokens, granted, waits=may > 0 and not granted))
    return turns


def _give_up(session: Session, keyless: Set[UUID], at: datetime) -> None:
    """Disable endpoints whose secrets do not open: the others go on. What waits for them stays."""
    found = select(Endpoint).where(Endpoint.id.in_(keyless))
    for endpoint in session.scalars(found) if keyless else ():
        notices.disable(session, endpoint, health.Ended.KEY_LOST, at)


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
        .where(Delivery.next_attempt_at <= at, _in_turn())
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


def _in_turn() -> ColumnElement[bool]:
    """That nothing earlier of the same subject is still to be delivered, where that matters."""
    earlier = aliased(Delivery)
    return ~Endpoint.ordered | ~exists().where(
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
            *(Delivery.id, Delivery.endpoint, Delivery.event),
            *(Delivery.claim, Delivery.failures, Delivery.traceparent),
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


def _spend(
    session: Session, turns: Sequence[_Turn], taken: Mapping[UUID, int], at: datetime
) -> None:
    """Take a token for each delivery; an endpoint without one is not looked at until it has."""
    rows = [turn.after(taken.get(turn.endpoint.id, 0), at) for turn in turns]
    now = values(
        column("id", Uuid),
        column("tokens", Float),
        *(column(name, DateTime(timezone=True)) for name in ("ready_at", "served_at")),
        name="now",
    ).data(rows)
    session.execute(
        update(Endpoint)
        .where(Endpoint.id == now.c.id)
        .values(
            tokens=now.c.tokens,
            tokens_at=at,
            ready_at=now.c.ready_at,
            served_at=now.c.served_at,
        )
        .execution_options(synchronize_session=False)
    )


def health_of(endpoint: Any) -> Health:
    """How the endpoint fares, as the rules see it."""
    return Health(endpoint.failures, endpoint.failing_since, endpoint.probe_at)
