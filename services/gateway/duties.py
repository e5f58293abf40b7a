"""Who has which duty, kept from the registry's events so that roles are known while it is away."""

from datetime import datetime
from uuid import UUID

from marshmallow import EXCLUDE, Schema, fields
from sqlalchemy import bindparam, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.clock import local
from chassis.events import CloudEvent
from services.gateway.models import Duty
from services.gateway.policy import Role

TYPES = (
    "linli.residents.duty_started.v1",
    "linli.residents.duty_changed.v1",
    "linli.residents.duty_ended.v1",
)


class DutyRecord(Schema):
    """A duty in an event: the whole of it, with the first and the last day, both included."""

    class Meta:
        unknown = EXCLUDE

    duty = fields.UUID(required=True)
    person = fields.UUID(required=True)
    role = fields.String(required=True)
    area = fields.String(allow_none=True, load_default=None)
    department = fields.String(allow_none=True, load_default=None)
    starts = fields.Date(required=True, data_key="from")
    ends = fields.Date(allow_none=True, load_default=None, data_key="to")


def keep_duty(session: Session, event: CloudEvent) -> None:
    """Keep the duty as the event has it, unless a newer event was here before; raises
    ValidationError.
    """
    values = {**DutyRecord().load(event.data), "sequence": event.sequence}
    session.execute(
        insert(Duty)
        .values(values)
        .on_conflict_do_update(
            index_elements=["duty"], set_=values, where=Duty.sequence < event.sequence
        )
    )


def roles_of(session: Session, person: UUID, now: datetime) -> list[Role]:
    """The roles of the duties that the person has today, on the calendar of the place that is
    served.
    """
    asked = {"somebody": person, "today": local(now).date()}
    return [Role(*row) for row in session.execute(_CURRENT, asked)]


# Built once: for each request SQLAlchemy has only its values to look at.
_CURRENT = (
    select(Duty.role, Duty.area, Duty.department)
    .where(Duty.person == bindparam("somebody"), Duty.starts <= bindparam("today"))
    .where(or_(Duty.ends.is_(None), Duty.ends >= bindparam("today")))
    .order_by(Duty.duty)
)
