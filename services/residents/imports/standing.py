"""In whose name an import goes on: grants are those of the moment at which it was begun, and hold
while the duties do that its owner had then.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from chassis import clock, walls
from chassis.call import Call
from services.residents import queries, reach
from services.residents.imports.kinds import Kind
from services.residents.models import Duty

_DUTIES = "duties"


def noted(session: Session, call: Call) -> Call:
    """The call of an import that begins, with the duties that its owner has today."""
    person = reach.person(call)
    with walls.opened(session):
        held = session.scalars(select(Duty.id).where(Duty.person == person, _in_force())).all()
    attributes = {**call.actor.attributes, _DUTIES: [str(duty) for duty in held]}
    return replace(call, actor=replace(call.actor, attributes=attributes))


def demand(session: Session, call: Call, kind: Kind) -> None:
    """Raise Denied once one of those duties is over: with which of them the grants go cannot be
    told here, and who still may can begin anew.
    """
    then: Sequence[str] = call.actor.attributes.get(_DUTIES, [])
    still = select(func.count()).where(Duty.id.in_([UUID(duty) for duty in then]), _in_force())
    if then and session.scalar(still) != len(then):
        raise kind.denied()


def _in_force() -> ColumnElement[bool]:
    return queries.in_force(clock.local(clock.now()).date())
