"""Who has which duty, kept from the registry's events so that roles are known while it is away."""

from typing import Any, cast
from uuid import UUID

from marshmallow import EXCLUDE, Schema, fields
from sqlalchemy import (
    JSON,
    ColumnElement,
    Date,
    Table,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.orm import Session

from chassis.events import CloudEvent
from chassis.schemas import load
from services.gateway.models import Duty

TYPES = (
    "linli.residents.duty_started.v1",
    "linli.residents.duty_changed.v1",
    "linli.residents.duty_ended.v1",
)

_DUTIES = cast("Table", Duty.__table__)
_NONE: ColumnElement[Any] = literal_column("'[]'::json", JSON)


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
    values = {**load(DutyRecord, event.data), "sequence": event.sequence}
    session.execute(
        insert(Duty)
        .values(values)
        .on_conflict_do_update(
            index_elements=["duty"], set_=values, where=Duty.sequence < event.sequence
        )
    )


def current(person: ColumnElement[UUID]) -> ColumnElement[Any]:
    """Part of a statement: the duties that a person has on the day `today` (a parameter), as a JSON
    array of role, area and department.
    """
    today = bindparam("today", type_=Date)
    each = func.json_build_array(_DUTIES.c.role, _DUTIES.c.area, _DUTIES.c.department)
    return (
        select(func.coalesce(func.json_agg(aggregate_order_by(each, _DUTIES.c.duty)), _NONE))
        .where(_DUTIES.c.person == person, _DUTIES.c.starts <= today)
        .where(or_(_DUTIES.c.ends.is_(None), _DUTIES.c.ends >= today))
        .scalar_subquery()
    )
