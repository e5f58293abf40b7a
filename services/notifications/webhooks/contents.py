"""What claimed deliveries are sent with: their events, and what they are signed with, opened."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from services.notifications.models import Department
from services.notifications.webhooks import sealed_robots
from services.notifications.webhooks.models import Event, Secret
from services.notifications.webhooks.robots import Robot
from services.notifications.webhooks.sealing import Seal, SealBroken
from services.notifications.webhooks.sending import Claimed


def filled(
    session: Session,
    endpoints: Sequence[Any],
    claimed: Sequence[Any],
    spoken_to: Mapping[UUID, Mapping[str, Any]],
) -> list[Claimed]:
    """The claimed deliveries (rows of what `claims` took) with all that it takes to send them;
    `endpoints`: rows that theirs are among; `spoken_to`: what was opened.
    """
    of = {each.id: each for each in endpoints}
    bodies = _bodies(session, {row.event for row in claimed})
    return [
        Claimed(
            id=row.id,
            claim=row.claim,
            endpoint=row.endpoint,
            probing=of[row.endpoint].probe_at is not None,
            failures=row.failures,
            traceparent=row.traceparent,
            event=row.event,
            format=of[row.endpoint].format,
            url=of[row.endpoint].url,
            body=bodies[row.event],
            **spoken_to[row.endpoint],
        )
        for row in claimed
    ]


def _bodies(session: Session, events: set[UUID]) -> Mapping[UUID, str]:
    found = session.execute(select(Event.id, Event.body).where(Event.id.in_(events)))
    return {row.id: row.body for row in found}


def opened(
    session: Session, seal: Seal, endpoints: Sequence[Any], at: datetime
) -> Mapping[UUID, Mapping[str, Any]]:
    """Of each endpoint its secrets, or the robot that it is with what departments are called; one
    of which these do not open is left out.
    """
    secrets = live_secrets(session, seal, {each.id for each in endpoints if not each.robot}, at)
    robots = dict(_robots(seal, endpoints))
    names = _department_names(session) if robots else {}
    signed = {key: {"secrets": texts} for key, texts in secrets.items() if texts}
    return signed | {
        key: {"secrets": (), "robot": robot, "departments": names} for key, robot in robots.items()
    }


def _robots(seal: Seal, endpoints: Sequence[Any]) -> Iterator[tuple[UUID, Robot]]:
    for each in endpoints:
        if each.robot:
            with suppress(SealBroken):
                yield each.id, sealed_robots.opened(seal, each.id, each.robot)


def live_secrets(
    session: Session, seal: Seal, endpoints: set[UUID], at: datetime
) -> dict[UUID, tuple[str, ...]]:
    """What each endpoint's deliveries are signed with, the newest first: none when that one does
    not open, for it is what the receiver goes by. An older one that does not is left out.
    """
    live = select(Secret).where(
        Secret.endpoint.in_(endpoints), or_(Secret.ends_at.is_(None), Secret.ends_at > at)
    )
    found: dict[UUID, list[str | None]] = {key: [] for key in endpoints}
    for secret in session.scalars(live.order_by(Secret.created_at.desc(), Secret.id.desc())):
        found[secret.endpoint].append(_text(seal, secret))
    return {
        key: tuple(filter(None, texts)) if texts and texts[0] else ()
        for key, texts in found.items()
    }


def _text(seal: Seal, secret: Secret) -> str | None:
    try:
        return seal.open(secret.endpoint, secret.sealed)
    except SealBroken:
        return None


def _department_names(session: Session) -> Mapping[str, str]:
    return {row.code: row.name for row in session.execute(select(Department.code, Department.name))}
