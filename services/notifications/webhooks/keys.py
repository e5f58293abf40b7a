"""The secrets of an endpoint: made, listed, ended. Each is told once, and stored sealed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call, named
from chassis.errors import NotFound
from chassis.ids import new_id
from services.notifications.webhooks import access, signing
from services.notifications.webhooks.errors import LastSecret, NotForRobots, TooManySecrets
from services.notifications.webhooks.models import Secret
from services.notifications.webhooks.robots import STANDARD
from services.notifications.webhooks.sealing import Seal

MOST = 3
"""Live secrets of one endpoint."""


def rotate(
    session: Session, call: Call, endpoint: UUID, seal: Seal, *, overlap: timedelta, at: datetime
) -> dict[str, Any]:
    """A new secret, told this once; those before it go on signing for `overlap`, then end. The same
    command again gets the same one with another text. Raises UnknownWebhook, NotForRobots,
    TooManySecrets.
    """
    found = access.endpoint(session, call, access.WRITE, endpoint, lock=True)
    if found.format != STANDARD:
        raise NotForRobots
    command = UUID(named(call).command_id)
    older = [secret for secret in _live(session, found.id, at) if secret.command != command]
    if len(older) >= MOST:
        raise TooManySecrets
    secret, text = put(session, seal, found.id, command, at)
    for each in older:
        if each.ends_at is None and each.created_at <= secret.created_at:
            each.ends_at = at + overlap
    return {**answer(secret), "secret": text}


def put(
    session: Session, seal: Seal, endpoint: UUID, command: UUID, at: datetime
) -> tuple[Secret, str]:
    """The secret that a command makes, and its text, which nobody can read again."""
    text = signing.new_secret()
    query = select(Secret).where(Secret.endpoint == endpoint, Secret.command == command)
    secret = session.scalar(query)
    if secret is None:
        secret = Secret(id=new_id(), endpoint=endpoint, command=command, created_at=at)
        session.add(secret)
    secret.sealed = seal.close(endpoint, text)
    session.flush()
    return secret, text


def listed(session: Session, call: Call, endpoint: UUID, at: datetime) -> dict[str, Any]:
    """`{items, next}`: the live secrets, oldest first, without their texts."""
    found = access.endpoint(session, call, access.READ, endpoint)
    return {"items": [answer(secret) for secret in _live(session, found.id, at)], "next": None}


def end(session: Session, call: Call, endpoint: UUID, secret: UUID, at: datetime) -> None:
    """Sign with it no more, from now on. Raises UnknownWebhook, NotFound, LastSecret for the one
    that nothing follows.
    """
    found = access.endpoint(session, call, access.WRITE, endpoint, lock=True)
    live = {each.id: each for each in _live(session, found.id, at)}
    if secret not in live:
        raise NotFound
    if live[secret].ends_at is None:
        raise LastSecret
    session.delete(live[secret])


def answer(secret: Secret) -> dict[str, Any]:
    """A secret without its text."""
    return {
        "id": str(secret.id),
        "created_at": clock.iso(secret.created_at),
        "ends_at": clock.iso(secret.ends_at) if secret.ends_at else None,
    }


def _live(session: Session, endpoint: UUID, at: datetime) -> Sequence[Secret]:
    live = select(Secret).where(
        Secret.endpoint == endpoint, or_(Secret.ends_at.is_(None), Secret.ends_at > at)
    )
    return session.scalars(live.order_by(Secret.created_at, Secret.id)).all()
