"""Of what place and department figures may be asked: of one that there is, and of which the caller
sees something. Anything else would be answered with a zero that somebody takes for a number.

A category is not looked for: tickets keep theirs when it has left the tree.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.errors import Forbidden
from services.tickets.errors import fault
from services.tickets.fact_models import AreaRow, DepartmentRow

NO_DEPARTMENT = "none"


def require(session: Session, call: Call, query: Mapping[str, Any], operation: str) -> None:
    """Raises Invalid (unknown_department, unknown_area), and Forbidden for a place outside all
    where the caller may do the operation.
    """
    department, area = query.get("department"), query.get("area")
    if department not in (None, NO_DEPARTMENT) and session.get(DepartmentRow, department) is None:
        raise fault("/department", "unknown_department", "There is no such department.")
    if area is not None:
        _require_area(session, area, call.reaches(operation))


def _require_area(session: Session, area: str, reaches: Sequence[str]) -> None:
    held = {reach.partition(":")[2] for reach in reaches if reach.startswith("area:")}
    known = select(AreaRow.code, AreaRow.path).where(AreaRow.code.in_({area, *held}))
    paths = {row.code: row.path for row in session.execute(known)}
    if area not in paths:
        raise fault("/area", "unknown_area", "There is no such area.")
    # Tickets of a department may lie anywhere.
    elsewhere = any(not reach.startswith("area:") for reach in reaches)
    inside = not held.isdisjoint(paths[area])
    around = any(area in paths.get(code, ()) for code in held)
    if not (elsewhere or inside or around):
        raise Forbidden
