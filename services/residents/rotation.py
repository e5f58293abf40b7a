"""Changing the master key: every data key is wrapped anew by the newest one, in batches.

Nothing that is sealed changes, nobody waits, and whenever it stops it goes on where it stood,
because each row says which master key wrapped it. Both keys must be known to every replica
meanwhile.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chassis.database import make_engine
from chassis.walls import EVERYTHING
from services.residents.imports.models import Import
from services.residents.models import Household, ResidentKey
from services.residents.settings import ResidentsSettings
from services.residents.vault import SealBroken, Vault, WrappedKey

BATCH = 500
# Where data keys are kept: the row's own id, and what its key is for.
KEEPERS: tuple[tuple[Any, Any, str], ...] = (
    (ResidentKey, ResidentKey.resident, "data-key"),
    (Household, Household.id, "data-key"),
    (Import, Import.id, "file-key"),
)


def rotate(
    environ: Mapping[str, str], told: Callable[[int], None], batch: int = BATCH
) -> dict[str, int]:
    """Wrap every data key anew, a transaction a batch, and say how many keys each master key wraps
    then; `told` hears how many are done. Raises SettingsError.
    """
    settings = ResidentsSettings.load("residents", environ)
    vault = Vault(settings.master_keys, settings.blind_index_key)
    engine = make_engine(settings, pool_size=1, seen=EVERYTHING)
    done = 0
    try:
        while True:
            with Session(engine) as session, session.begin():
                rewrapped = rewrap_some(session, vault, batch)
            done += rewrapped
            told(done)
            if not rewrapped:
                with Session(engine) as session:
                    return {**dict.fromkeys(settings.master_keys, 0), **in_use(session)}
    finally:
        engine.dispose()


def opened(environ: Mapping[str, str], limit: int) -> tuple[int, int]:
    """Of up to `limit` data keys of each kind: how many were tried, and how many the master keys
    open. Nothing is changed. Raises SettingsError.
    """
    settings = ResidentsSettings.load("residents", environ)
    vault = Vault(settings.master_keys, settings.blind_index_key)
    engine = make_engine(settings, pool_size=1, seen=EVERYTHING)
    try:
        with Session(engine) as session:
            return _opened(session, vault, limit)
    finally:
        engine.dispose()


def _opened(session: Session, vault: Vault, limit: int) -> tuple[int, int]:
    tried = count = 0
    for keeper, owner, purpose in KEEPERS:
        rows = select(owner, keeper.key_id, keeper.wrapped).where(keeper.key_id.is_not(None))
        for row in session.execute(rows.limit(limit)):
            tried += 1
            with suppress(SealBroken):
                vault.rewrap(purpose, row[0], WrappedKey(row.key_id, bytes(row.wrapped)))
                count += 1
    return tried, count


def rewrap_some(session: Session, vault: Vault, limit: int) -> int:
    """Wrap up to `limit` data keys of one kind anew, and say how many; those that somebody else is
    changing are left for the next time.
    """
    for keeper, owner, purpose in KEEPERS:
        for old in vault.outdated:
            rows = select(owner, keeper.key_id, keeper.wrapped).where(keeper.key_id == old)
            found = session.execute(rows.limit(limit).with_for_update(skip_locked=True)).all()
            for row in found:
                stored = WrappedKey(row.key_id, bytes(row.wrapped))
                new = vault.rewrap(purpose, row[0], stored)
                values = {"key_id": new.key_id, "wrapped": new.wrapped}
                session.execute(update(keeper).where(owner == row[0]).values(values))
            if found:
                return len(found)
    return 0


def in_use(session: Session) -> dict[str, int]:
    """How many data keys each master key wraps, by its id: one that wraps none can be thrown
    away.
    """
    counts: dict[str, int] = {}
    for keeper, _, _ in KEEPERS:
        query = select(keeper.key_id, func.count()).where(keeper.key_id.is_not(None))
        for key_id, count in session.execute(query.group_by(keeper.key_id)):
            counts[key_id] = counts.get(key_id, 0) + count
    return counts
