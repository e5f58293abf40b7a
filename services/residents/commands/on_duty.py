"""Whoever acts for the community, today or from a later day on: neither erased nor renumbered by
their colleagues.
"""

from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from chassis import clock, walls
from chassis.call import Call
from services.residents import reach
from services.residents.errors import NumbersOfStaff
from services.residents.models import Duty, Resident

# By a phone one signs in, and by an ID number files of people say whose phone it is.
NUMBERS = frozenset({"phone", "id_number"})


def has_duty(session: Session, person: UUID) -> bool:
    """Whether a person has a duty that is not over, whatever place or department it is for."""
    today = clock.local(clock.now()).date()
    # One that was revoked before it came into force will not be.
    not_over = or_(Duty.ends.is_(None), Duty.ends >= func.greatest(Duty.starts, today))
    duty = select(Duty.id).where(Duty.person == person, not_over)
    with walls.opened(session):
        return session.scalar(duty.limit(1)) is not None


def demand_to_renumber(session: Session, call: Call, person: Resident) -> None:
    """Raise NumbersOfStaff where a person, who is locked, has a duty, unless the caller may amend
    everybody or is that person: else whoever keeps the register could become any colleague.
    """
    if call.actor.kind == "system" or reach.person(call) == person.id:
        return
    if "residents.write" not in call.may(lambda granted: granted == "any") and has_duty(
        session, person.id
    ):
        about = reach.Subject("resident", person.id, person.area)
        raise NumbersOfStaff("residents.write", about)
