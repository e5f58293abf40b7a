"""Who works for a department."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock, walls
from chassis.call import Call
from services.residents import answers, audit, queries, reach
from services.residents.models import Department, Duty, Resident, ResidentKey
from services.residents.queries import Wanted
from services.residents.reach import Subject
from services.residents.vault import Vault

# A duty, with what of its person is needed to show their name.
_CLERK: list[Any] = [
    Duty.id.label("duty"), Duty.starts, Duty.ends, Resident.id, Resident.area, Resident.name,
    ResidentKey.key_id, ResidentKey.wrapped,
]  # fmt: skip


def of_department(session: Session, call: Call, vault: Vault, wanted: Wanted) -> dict[str, Any]:
    """A page of those who work for a department on a day (today), in the order in which they were
    given the duty; raises NotFound, Forbidden.
    """
    queries.get(session, Department, wanted["code"])
    # That there is such a department is no secret: who works there is refused, never hidden.
    holds = reach.of_department(wanted["code"])
    reach.demand_to_add(call, holds, "department_clerks.read", Subject("department"))
    statement = (
        select(*_CLERK)
        .join(Resident, Resident.id == Duty.person)
        .outerjoin(ResidentKey, ResidentKey.resident == Resident.id)
        .where(
            Duty.department == wanted["code"],
            queries.in_force(wanted.get("on") or clock.local(clock.now()).date()),
        )
    )
    order: queries.Order = {"duty": (Duty.id, UUID)}
    # A department lies in no community, and its clerks may live in any.
    with walls.opened(session):
        page = queries.paged(session, statement, order, wanted, lambda row: row)
    key = audit.keys(
        session, call, vault, page["items"], fields=answers.OF_CLERK, found_by=["department"]
    )
    return {**page, "items": [answers.clerk(row, key(row)) for row in page["items"]]}
