"""API keys: made by an administrator for a person or a department, narrowed by scopes, revoked by
deletion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.ids import new_id
from services.gateway import tokens
from services.gateway.models import ApiKey


@dataclass(frozen=True)
class NewKey:
    """What a key is made of: `owner` is a person's id or a department's code, by `owner_kind`."""

    name: str
    owner_kind: str
    owner: str
    scopes: tuple[str, ...]
    created_by: str


def make_key(session: Session, new: NewKey, command_id: UUID, now: datetime) -> tuple[ApiKey, str]:
    """A key and its token, which is told this once. The same command again gets the same key with a
    new token.
    """
    token = tokens.new_token(tokens.API_KEY_PREFIX)
    key = session.scalars(
        select(ApiKey).where(ApiKey.command_id == command_id).with_for_update()
    ).one_or_none()
    if key is None:
        key = ApiKey(id=new_id(), command_id=command_id, created_at=now, **vars(new))
        key.scopes = list(new.scopes)
        session.add(key)
    key.token_digest = tokens.token_digest(token)
    return key, token


def list_keys(session: Session, after: UUID | None, limit: int) -> Sequence[ApiKey]:
    """Up to `limit` keys, oldest first, after the one with that id."""
    query = select(ApiKey).order_by(ApiKey.id).limit(limit)
    return session.scalars(query.where(ApiKey.id > after) if after else query).all()


def get_key(session: Session, key_id: UUID) -> ApiKey:
    """The key; raises NotFound."""
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFound()
    return key


def revoke_key(session: Session, key_id: UUID) -> None:
    """From now on the key opens nothing; raises NotFound."""
    if not session.execute(delete(ApiKey).where(ApiKey.id == key_id)).rowcount:  # type: ignore[attr-defined]
        raise NotFound()
