"""Numbers that somebody else changed: the one before is told, and the new one waits before it signs
anybody in (docs/adr/0024).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Index, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock
from chassis.ids import new_id
from services.residents.errors import PhoneOnHold
from services.residents.models import Base, Resident

# As long as notifications tries to tell the number before (LINLI_NEWS_EXPIRES_AFTER).
KEPT = timedelta(days=3)


@dataclass(frozen=True)
class Number:
    """A person's number as it is stored: sealed under their key, and its blind index."""

    sealed: bytes
    index: bytes


class PhoneChange(Base):
    """Somebody changed or took another's number, which was `phone` before, sealed as theirs is."""

    __tablename__ = "phone_changes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    resident: Mapped[UUID] = mapped_column(ForeignKey("residents.id"))
    phone: Mapped[bytes]
    phone_index: Mapped[bytes]
    changed_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (Index(None, "resident", "changed_at"),)


def number_of(person: Resident) -> Number | None:
    """A person's number as it stands."""
    if person.phone is None or person.phone_index is None:
        return None
    return Number(person.phone, person.phone_index)


def note(session: Session, person: Resident, before: Number | None) -> UUID | None:
    """Keep the number that a person had before somebody else changed it, and give the id of the
    change; None for the first number of somebody who had none.

    Whoever takes a number and gives another one later changes it too, in two steps.
    """
    known = before or _taken(session, person.id)
    if known is None or known.index == person.phone_index:
        return None
    change = PhoneChange(
        id=new_id(),
        resident=person.id,
        phone=known.sealed,
        phone_index=known.index,
        changed_at=clock.now(),
    )
    session.add(change)
    session.flush()
    return change.id


def standing(session: Session, person: Resident, change: UUID) -> PhoneChange | None:
    """A change of a person's number, unless it is kept no more or the number is theirs again."""
    found = session.get(PhoneChange, change)
    if found is None or (found.resident, found.phone_index) == (person.id, person.phone_index):
        return None
    return found if found.resident == person.id else None


def check_signing_in(session: Session, person: UUID, phone_index: bytes, hold: timedelta) -> None:
    """Raises PhoneOnHold for the number of a person that somebody else gave them less than `hold`
    ago. The one from before the first of the changes since then is theirs again at once.
    """
    changes = session.scalars(
        select(PhoneChange)
        .where(PhoneChange.resident == person, PhoneChange.changed_at > clock.now() - hold)
        .order_by(PhoneChange.changed_at, PhoneChange.id)
    ).all()
    if changes and changes[0].phone_index != phone_index:
        raise PhoneOnHold(works_from=clock.iso(changes[-1].changed_at + hold))


def forget(session: Session, person: UUID) -> None:
    """Drop the numbers that an erased person had."""
    session.execute(delete(PhoneChange).where(PhoneChange.resident == person))


def _taken(session: Session, person: UUID) -> Number | None:
    """The number that a person who has none had last."""
    last = (
        select(PhoneChange.phone, PhoneChange.phone_index)
        .where(PhoneChange.resident == person)
        .order_by(PhoneChange.changed_at.desc(), PhoneChange.id.desc())
        .limit(1)
    )
    row = session.execute(last).first()
    return row and Number(row.phone, row.phone_index)
