"""A household's row as commands need it: found and locked for whoever may change it; and its
events.
"""

from uuid import UUID

from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.errors import Stale
from chassis.events import EventSchema, Route, emit
from services.residents import area_codes, household_queries
from services.residents.errors import HouseholdIsClosed
from services.residents.events import HouseholdAmended
from services.residents.models import Household

_WRITE = "households.write"


def found(session: Session, call: Call, household_id: UUID) -> Household:
    """The household to be changed, its row locked. Raises NotFound, Forbidden.

    Commands lock the household first and then people, in the order of their ids: so none waits for
    another that waits for it.
    """
    return household_queries.found(session, call, household_id, _WRITE, lock=True)


def open_one(
    session: Session, call: Call, household_id: UUID, version: int | None = None
) -> Household:
    """As `found`; raises Stale for another version than the present one, and HouseholdIsClosed."""
    household = found(session, call, household_id)
    if version not in (None, household.sequence):
        raise Stale
    check_open(household)
    return household


def allowed(session: Session, call: Call, household_id: UUID) -> Household:
    """As `found`, without a lock."""
    return household_queries.found(session, call, household_id, _WRITE)


def check_open(household: Household) -> None:
    """Raise HouseholdIsClosed for one that is."""
    if household.ends is not None:
        raise HouseholdIsClosed


def amended(session: Session, call: Call, household: Household) -> None:
    """Count and tell that something of the household has changed."""
    household.sequence += 1
    tell(session, call, HouseholdAmended, household)


def tell(session: Session, call: Call, schema: type[EventSchema], household: Household) -> None:
    """Emit an event with the whole record of the household, but for what is personal."""
    emit(
        session,
        call,
        schema,
        subject=str(household.id),
        sequence=household.sequence,
        route=Route(place=area_codes.routing(household.area)),
        data={
            "household": household.id,
            "area": household.area,
            "grid": household.grid,
            "building": household.building,
            "tenure": household.tenure,
            "starts": household.starts,
            "ends": household.ends,
            "recorded_at": household.recorded_at,
        },
    )
