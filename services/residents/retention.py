"""What has been kept for as long as its tag says (personal_fields.py) goes, a batch at a time."""

from datetime import datetime

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from chassis.call import Call
from services.residents.commands import erasing
from services.residents.models import Duty, Member, Resident
from services.residents.personal_fields import TAGS
from services.residents.personal_models import Consent
from services.residents.phone_changes import PhoneChange
from services.residents.withdrawn_phones import WithdrawnPhone

BATCH = 100


def forget_some(session: Session, call: Call, now: datetime) -> int:
    """Drop a batch of whatever is over at `now`, and say how many rows or people that was."""
    return (
        _forget_entries(session, now)
        + _forget_consents(session, now)
        + _forget_people(session, call, now)
        + _forget_numbers(session, now)
        + _forget_changes(session, now)
    )


def _over(field: str, now: datetime) -> datetime:
    """What is from before this moment has been kept for long enough."""
    kept = TAGS[field].kept
    if kept is None:
        raise KeyError(field)
    return now - kept


def _forget_entries(session: Session, now: datetime) -> int:
    """An hour's worth of the audit. The application may delete none of it; a function of the owner
    does, and none that is younger than three years.
    """
    return int(session.scalar(select(func.audit_forget(_over("audit.at", now)))) or 0)


def _forget_consents(session: Session, now: datetime) -> int:
    over = Consent.withdrawn_at < _over("consents.withdrawn_at", now)
    some = select(Consent.id).where(over).order_by(Consent.withdrawn_at).limit(BATCH)
    gone = session.scalars(delete(Consent).where(Consent.id.in_(some)).returning(Consent.id))
    return len(gone.all())


def _forget_people(session: Session, call: Call, now: datetime) -> int:
    """Erase those who are known by their phone only and have not been heard of since."""
    some = (
        select(Resident.id)
        .where(
            Resident.command_id.is_(None),
            Resident.erased_at.is_(None),
            Resident.used_at < _over("residents.used_at", now),
            ~exists().where(Duty.person == Resident.id),
            ~exists().where(Member.resident == Resident.id),
        )
        .order_by(Resident.used_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    people = session.scalars(some).all()
    for person in people:
        erasing.erase(session, call, {"id": person, "reason": "retention"})
    return len(people)


def _forget_numbers(session: Session, now: datetime) -> int:
    index = WithdrawnPhone.phone_index
    over = WithdrawnPhone.withdrawn_at < _over("withdrawn_phones.phone_index", now)
    some = select(index).where(over).order_by(WithdrawnPhone.withdrawn_at).limit(BATCH)
    return len(
        session.scalars(delete(WithdrawnPhone).where(index.in_(some)).returning(index)).all()
    )


def _forget_changes(session: Session, now: datetime) -> int:
    over = PhoneChange.changed_at < _over("phone_changes.changed_at", now)
    some = select(PhoneChange.id).where(over).order_by(PhoneChange.changed_at).limit(BATCH)
    gone = delete(PhoneChange).where(PhoneChange.id.in_(some)).returning(PhoneChange.id)
    return len(session.scalars(gone).all())
