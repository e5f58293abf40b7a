"""What follows from another phone number: the one before is over, and is told if somebody else
changed it.
"""

from dataclasses import replace

from sqlalchemy.orm import Session

from chassis import clock, walls
from chassis.call import Call
from services.residents import phone_changes, reach, withdrawn_phones
from services.residents.commands import telling
from services.residents.events import ResidentPhoneChanged, ResidentPhoneWithdrawn
from services.residents.models import Resident
from services.residents.phone_changes import Number


def change(session: Session, call: Call, person: Resident, before: Number | None) -> None:
    """The number of `before` signs a person in no more, and what it opened is over; it is told,
    and the new one waits, unless they changed it themselves or had none.
    """
    # Whenever it is said to have been, as an import may: sessions end and messages go out now.
    call = replace(call, occurred_at=clock.now())
    withdrawn_phones.give(session, person.phone_index)
    if before is not None:
        withdrawn_phones.withdraw(session, before.index)
        person.sequence += 1
        telling.tell(session, call, ResidentPhoneWithdrawn, person)
    if reach.person(call) != person.id:
        _announce(session, call, person, before)


def _announce(session: Session, call: Call, person: Resident, before: Number | None) -> None:
    # Whoever moved them elsewhere with the same request sees neither them nor their changes now.
    with walls.opened(session):
        made = phone_changes.note(session, person, before)
    if made is not None:
        person.sequence += 1
        telling.tell(session, call, ResidentPhoneChanged, person, change=made)
