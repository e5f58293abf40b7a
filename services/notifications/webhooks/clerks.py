"""Who works for a department, kept from the registry's events, so that nobody has to be asked when
its endpoint is disabled.
"""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.events import CloudEvent
from services.notifications import forgetting
from services.notifications.webhooks.models import Clerk

TYPES = (
    "linli.residents.duty_started.v1",
    "linli.residents.duty_changed.v1",
    "linli.residents.duty_ended.v1",
)
_ROLE = "department_clerk"


class DutyRecord(Schema):
    """A duty in an event, with the first and the last day, both included."""

    class Meta:
        unknown = EXCLUDE

    duty = fields.UUID(required=True)
    person = fields.UUID(required=True)
    role = fields.String(required=True)
    department = fields.String(allow_none=True, load_default=None)
    starts = fields.Date(required=True, data_key="from")
    ends = fields.Date(allow_none=True, load_default=None, data_key="to")


def keep(session: Session, event: CloudEvent) -> None:
    """Keep a clerk's duty as the event has it, unless a newer event was here before; raises
    ValidationError.
    """
    duty: dict[str, Any] = DutyRecord().load(event.data)
    if duty.pop("role") != _ROLE or not duty["department"]:
        return
    if forgetting.is_forgotten(session, duty["person"]):
        return
    values = {**duty, "sequence": event.sequence}
    session.execute(
        insert(Clerk)
        .values(values)
        .on_conflict_do_update(
            index_elements=["duty"], set_=values, where=Clerk.sequence < event.sequence
        )
    )
