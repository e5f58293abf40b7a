"""What is told of a person: the event, by where they are, with nothing of theirs but their id."""

from uuid import UUID

from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.events import EventSchema, Route, emit
from services.residents import area_codes
from services.residents.models import Resident


def tell(
    session: Session, call: Call, schema: type[EventSchema], person: Resident, **more: UUID
) -> None:
    """Emit an event about a person, at their `sequence` as it stands."""
    emit(
        session,
        call,
        schema,
        subject=str(person.id),
        sequence=person.sequence,
        route=Route(place=area_codes.routing(person.area) if person.area else "none"),
        data={"resident": person.id, **more},
    )
