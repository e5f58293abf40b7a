"""Numbers that were taken from a person: they sign nobody in until somebody is given them."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock, gathering
from services.residents.errors import PhoneWithdrawn
from services.residents.models import Base

# As long as carriers keep a number out of use before they give it to somebody else: 90 days at
# least (《电信服务规范》). After that whoever has it is somebody new, and the row goes.
KEPT = timedelta(days=90)


class WithdrawnPhone(Base):
    """A number that was taken from its person and given to nobody since, by blind index."""

    __tablename__ = "withdrawn_phones"

    phone_index: Mapped[bytes] = mapped_column(primary_key=True)
    withdrawn_at: Mapped[datetime]


def withdraw(session: Session, phone_index: bytes) -> None:
    """Note that the number was taken from its person just now."""
    values = {"phone_index": phone_index, "withdrawn_at": clock.now()}
    session.execute(
        insert(WithdrawnPhone)
        .values(values)
        .on_conflict_do_update(index_elements=["phone_index"], set_=values)
    )


def give(session: Session, phone_index: bytes | None) -> None:
    """Note that somebody was given the number by those who register people."""
    if phone_index is not None:
        gathering.remove(session, WithdrawnPhone.phone_index, phone_index)


def check_signing_in(session: Session, phone_index: bytes) -> None:
    """Raises PhoneWithdrawn for a number that was taken from its person and given to nobody."""
    found = select(WithdrawnPhone.phone_index).where(
        WithdrawnPhone.phone_index == phone_index,
        WithdrawnPhone.withdrawn_at >= clock.now() - KEPT,
    )
    if session.scalar(found) is not None:
        raise PhoneWithdrawn
