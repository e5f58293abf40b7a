"""After a restore nobody is texted twice: what the backup holds as not yet sent may have been sent
after it was taken, and so may what is told of events that were made before the restore.

Such messages are skipped as `held_after_restore`; the inbox has the news in any case. An operator
who knows better lets them go.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Row, Table, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from chassis.ids import made_at
from services.notifications.models import Delivery, Preference, Restored
from services.notifications.outcome import Reason, State

LAST = select(func.max(cast("Table", Restored.__table__).c.at)).scalar_subquery()
_HELD = and_(Delivery.state == State.SKIPPED, Delivery.reason == Reason.HELD_AFTER_RESTORE)


def hold(session: Session, at: datetime) -> int:
    """Note a restore, hold all that waits to be sent, and say how many messages that is: what is
    queued, and what a digest was to tell that may have been sent already.
    """
    session.execute(insert(Restored).values(at=at))
    digest_is_over = Delivery.person.in_(
        select(Preference.person).where(Preference.next_digest_at <= at)
    )
    waits = or_(
        Delivery.state == State.QUEUED,
        and_(Delivery.state == State.COLLECTED, digest_is_over),
    )
    done = session.execute(
        update(Delivery)
        .where(waits)
        .values(
            state=State.SKIPPED,
            reason=Reason.HELD_AFTER_RESTORE,
            next_attempt_at=None,
            claimed_at=None,
            settled_at=at,
        )
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def stale_since(restored: datetime | None, event: str) -> Reason | None:
    """Why a message about the event with this id is not sent, or None: the event was made before
    the last restore, whenever it is said to have happened.
    """
    if restored is None or made_at(UUID(event)) > restored:
        return None
    return Reason.HELD_AFTER_RESTORE


def held(session: Session, limit: int) -> Sequence[Row[UUID, str, UUID | None, datetime]]:
    """Up to `limit` messages that are held, oldest first: id, purpose, person, created_at."""
    columns = Delivery.id, Delivery.purpose, Delivery.person, Delivery.created_at
    query = select(*columns).where(_HELD).order_by(Delivery.created_at, Delivery.id)
    return session.execute(query.limit(limit)).all()


def release(session: Session, ids: Collection[UUID] | None, at: datetime) -> int:
    """Let messages go that are held, all or those with these ids, and say how many. What is too old
    by now expires instead of being sent.
    """
    which = _HELD if ids is None else and_(_HELD, Delivery.id.in_(ids))
    done = session.execute(
        update(Delivery)
        .where(which)
        .values(state=State.QUEUED, reason=None, next_attempt_at=at, settled_at=None)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]
