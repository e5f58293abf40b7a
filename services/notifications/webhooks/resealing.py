"""Changing the key of webhooks: what is sealed is sealed anew by the newest one, in batches.

Nobody waits. Whenever it stops it may be begun again, for what the newest key opens is left as it
is. Every key must be known to every replica meanwhile.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis.database import make_engine
from services.notifications.webhooks.models import Endpoint, Secret
from services.notifications.webhooks.sealing import Seal, SealBroken
from services.notifications.webhooks.settings import KeySettings

BATCH = 500
NEWEST, OLDER, NONE = "newest", "older", "none"

Keys = Sequence[bytes]
Place = tuple[Any, Any, Any]
"""Where something is sealed: the row's id, the endpoint that it is bound to, the column."""

PLACES: tuple[Place, ...] = (
    (Secret.id, Secret.endpoint, Secret.sealed),
    (Endpoint.id, Endpoint.id, Endpoint.robot),
)


def reseal(
    environ: Mapping[str, str], told: Callable[[int], None], batch: int = BATCH
) -> dict[str, int]:
    """Seal anew what only an older key opens, a transaction a batch, and say how much the newest
    key opens then, how much only an older one, and how much none; `told` hears how many are done.
    Raises SettingsError.
    """
    settings = KeySettings.load("notifications", environ)
    keys = settings.webhook_keys
    engine = make_engine(settings, pool_size=1)
    done = 0
    try:
        for place in PLACES:
            after: UUID | None = UUID(int=0)
            while after:
                with Session(engine) as session, session.begin():
                    resealed, after = reseal_some(session, keys, place, after, batch)
                done += resealed
                told(done)
        with Session(engine) as session:
            return opened_by(session, keys)
    finally:
        engine.dispose()


def opened(environ: Mapping[str, str]) -> dict[str, int]:
    """How much the newest key opens, how much only an older one, and how much none. Nothing is
    changed. Raises SettingsError.
    """
    settings = KeySettings.load("notifications", environ)
    engine = make_engine(settings, pool_size=1)
    try:
        with Session(engine) as session:
            return opened_by(session, settings.webhook_keys)
    finally:
        engine.dispose()


def reseal_some(
    session: Session, keys: Keys, place: Place, after: UUID, limit: int
) -> tuple[int, UUID | None]:
    """Look at up to `limit` rows behind that one, and seal anew what only an older key opens; how
    many those were, and the last that was looked at, None when that was all. Rows that somebody
    else is changing are left for the next time.
    """
    key, endpoint, column = place
    rows = select(key, endpoint, column).where(key > after, column.is_not(None)).order_by(key)
    rows = rows.limit(limit).with_for_update(key_share=True, skip_locked=True)
    found = session.execute(rows).all()
    outdated = [row for row in found if _opener(keys, row[1], row[2]) == OLDER]
    seal = Seal(*keys)
    for row in outdated:
        sealed = seal.close(row[1], seal.open(row[1], row[2]))
        session.execute(update(key.class_).where(key == row[0]).values({column: sealed}))
    return len(outdated), found[-1][0] if found else None


def opened_by(session: Session, keys: Keys) -> dict[str, int]:
    """How much the newest key opens, how much only an older one, and how much none."""
    counts = Counter({NEWEST: 0, OLDER: 0, NONE: 0})
    for _, endpoint, column in PLACES:
        rows = session.execute(select(endpoint, column).where(column.is_not(None)))
        counts.update(_opener(keys, row[0], row[1]) for row in rows)
    return dict(counts)


def opens_nothing(session: Session, keys: Keys) -> bool:
    """Whether there is something sealed, and these keys open none of it."""
    counts = opened_by(session, keys)
    return bool(counts[NONE]) and not counts[NEWEST] and not counts[OLDER]


def _opener(keys: Keys, endpoint: UUID, sealed: bytes) -> str:
    for name, seal in ((NEWEST, Seal(keys[-1])), (OLDER, Seal(*keys))):
        with suppress(SealBroken):
            seal.open(endpoint, sealed)
            return name
    return NONE
