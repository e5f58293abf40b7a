"""Erasure: a person's key goes, and with it all that can be read of them; that there was somebody
stays, for the figures.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from chassis import clock, walls
from chassis.call import Call
from services.residents import audit, phone_changes, queries, reach, sealing
from services.residents.care.models import CareTag
from services.residents.commands import members, telling
from services.residents.commands.on_duty import has_duty
from services.residents.errors import OnDuty, invalid
from services.residents.events import ResidentErased
from services.residents.models import Resident, ResidentKey
from services.residents.reach import Subject


def erase(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Erase a person, once; people may have themselves erased (PIPL, article 47), and need not say
    why. Raises NotFound, Forbidden, Invalid (required), OnDuty.

    What is sealed is dropped as well as its key, and with it the blind indexes, by which somebody
    who has the index key could still tell that a number was known. Care tags go: a door and a tag
    may say who it was. Stays end, and count for the days they had.
    """
    person = queries.person(session, call, wanted["id"], "residents.erase", lock=True)
    about = Subject("resident", person.id, person.area)
    if wanted["reason"] is None and reach.person(call) != person.id:
        raise invalid("reason", "required", "Missing data for required field.")
    if person.erased_at is None:
        # Who may act for the community must not be nobody.
        if has_duty(session, person.id):
            raise OnDuty
        # Their tags may lie behind the caller's wall, and must go all the same.
        with walls.opened(session):
            _forget(session, person)
            members.leave_all(session, call, person, _yesterday())
        audit.note(
            session, call, audit.ERASE, about, fields=sealing.SEALED, reason=wanted["reason"]
        )
        telling.tell(session, call, ResidentErased, person)
    return {"id": str(person.id), "erased_at": clock.iso(person.erased_at or clock.now())}


def _forget(session: Session, person: Resident) -> None:
    for column in sealing.COLUMNS:
        setattr(person, column, None)
    person.erased_at = clock.now()
    person.sequence += 1
    session.execute(delete(CareTag).where(CareTag.resident == person.id))
    phone_changes.forget(session, person.id)
    session.execute(delete(ResidentKey).where(ResidentKey.resident == person.id))
    session.flush()


def _yesterday() -> date:
    return clock.local(clock.now()).date() - timedelta(days=1)
