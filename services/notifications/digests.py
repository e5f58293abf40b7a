"""Digests: what is not urgent, gathered and told together, each piece of news in one of them only.

News that waits for a digest is a delivery in the state `collected`. When the digest is due, those
become part of one further delivery, whose purpose is `digest`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from services.notifications import choices
from services.notifications.models import Delivery, Notification, Preference
from services.notifications.news import DIGEST, DIGEST_CHANNELS
from services.notifications.outcome import Reason, State
from services.notifications.quiet import Digest, next_digest

# How much of the news a digest spells out; the rest is counted.
SPELT_OUT = 20
_NAMESPACE = UUID("6f6f0c3a-6a1d-5b0e-9d8e-3f5d1c8a7b21")


def gather(session: Session, at: datetime, limit: int) -> int:
    """Make the digests that are due, of up to `limit` people; how many people that were."""
    due = session.scalars(
        select(Preference)
        .where(Preference.next_digest_at <= at)
        .order_by(Preference.next_digest_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for preference in due:
        _make(session, preference, at)
        preference.next_digest_at = next_digest(Digest(preference.digest), at)
    return len(due)


def contents(session: Session, digests: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Of each digest `{count, news}`: how much there is, and the newest of it, oldest first."""
    return {digest: _contents(session, digest) for digest in digests}


def _make(session: Session, preference: Preference, at: datetime) -> None:
    # Named after its due time: the same digest cannot be made twice.
    digest = uuid5(_NAMESPACE, f"{preference.person} {preference.next_digest_at}")
    collected = (Delivery.person == preference.person) & (Delivery.state == State.COLLECTED)
    if not session.scalar(select(func.count()).where(collected)):
        return
    channels = choices.wanted(DIGEST_CHANNELS, DIGEST, preference.choices)
    session.add(
        Delivery(
            id=digest,
            person=preference.person,
            purpose=DIGEST,
            channel=DIGEST_CHANNELS[0],
            channels=[*channels],
            state=State.QUEUED if channels else State.SKIPPED,
            reason=None if channels else Reason.TURNED_OFF,
            next_attempt_at=at if channels else None,
            created_at=at,
            settled_at=None if channels else at,
        )
    )
    session.flush()
    session.execute(
        update(Delivery)
        .where(collected)
        .values(state=State.SKIPPED, reason=Reason.IN_DIGEST, digest=digest, settled_at=at)
    )


def _contents(session: Session, digest: UUID) -> dict[str, Any]:
    part = Delivery.digest == digest
    count = session.scalar(select(func.count()).where(part)) or 0
    newest = session.scalars(
        select(Notification)
        .join(Delivery, Delivery.notification == Notification.id)
        .where(part)
        .order_by(Notification.at.desc(), Notification.sequence.desc())
        .limit(SPELT_OUT)
    ).all()
    news = [{"purpose": item.purpose, "about": _about(item.variables)} for item in newest]
    return {"count": count, "news": news[::-1]}


def _about(variables: Mapping[str, Any]) -> str:
    """The ticket's number, or what else the news is of."""
    return str(variables.get("number") or variables.get("host"))
