"""What claimed deliveries are sent with: their events, and what they are signed with, opened."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from services.notifications.models import Department
from services.notifications.webhooks import sealed_robots
from services.notifications.webhooks.models import Event, Secret
from services.notifications.webhooks.robots import NO_ROBOT
from services.notifications.webhooks.sealing import Seal
from services.notifications.webhooks.sending import Claimed


def filled(
    session: Session, seal: Seal, endpoints: Sequence[Any], claimed: Sequence[Any], at: datetime
) -> list[Claimed]:
    """The claimed deliveries (rows of `id`, `claim`, `endpoint`, `event`, `failures`) with all that
    it takes to send them; `endpoints`: rows that theirs are among.
    """
    of = {each.id: each for each in endpoints}
    bodies = _bodies(session, {row.event for row in claimed})
    spoken_to = _signed_with(
        session, seal, [of[key] for key in {row.endpoint for row in claimed}], at
    )
    return [
        Claimed(
            id=row.id,
            claim=row.claim,
            endpoint=row.endpoint,
            probing=of[row.endpoint].probe_at is not None,
            failures=row.failures,
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


def _signed_with(
    session: Session, seal: Seal, endpoints: Sequence[Any], at: datetime
) -> Mapping[UUID, dict[str, Any]]:
    """Of each endpoint its secrets, or the robot that it is with what departments are called."""
    secrets = live_secrets(session, seal, {each.id for each in endpoints}, at)
    names = _department_names(session) if any(each.robot for each in endpoints) else {}
    return {
        each.id: {
            "secrets": secrets[each.id],
            "robot": sealed_robots.opened(seal, each.id, each.robot) if each.robot else NO_ROBOT,
            "departments": names,
        }
        for each in endpoints
    }


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


def _department_names(session: Session) -> Mapping[str, str]:
    return {row.code: row.name for row in session.execute(select(Department.code, Department.name))}
