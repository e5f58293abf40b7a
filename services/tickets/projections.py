"""What tickets keeps of residents' facts, each as its newest event tells: places, departments,
duties.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import ARRAY, ColumnElement, Select, Table, Text, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.events import CloudEvent
from chassis.schemas import load
from services.tickets import facts
from services.tickets.errors import fault
from services.tickets.fact_models import AreaRow, DepartmentRow, DutyRow
from services.tickets.models import Base
from services.tickets.names import Names
from services.tickets.ticket import Ticket


@dataclass(frozen=True)
class Area:
    """A place: its code, the codes from the district down to it, its part of a routing key, and
    what all on its path are called.
    """

    code: str
    path: tuple[str, ...]
    routing: str
    names: Names


def keep_area(session: Session, event: CloudEvent) -> None:
    """Keep the place that the event is about as it says. Raises ValidationError when it says it
    wrongly.
    """
    _keep(session, AreaRow, load(facts.AreaFact, event.data), "code", event.sequence)


def keep_department(session: Session, event: CloudEvent) -> None:
    """The same for a department."""
    _keep(session, DepartmentRow, load(facts.DepartmentFact, event.data), "code", event.sequence)


def keep_duty(session: Session, event: CloudEvent) -> None:
    """The same for a duty."""
    _keep(session, DutyRow, load(facts.DutyFact, event.data), "id", event.sequence)


def _keep(
    session: Session, table: type[Base], fact: Mapping[str, Any], key: str, sequence: int
) -> None:
    statement = insert(table).values(**fact, sequence=sequence)
    newer = {name: statement.excluded[name] for name in (*fact, "sequence") if name != key}
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[key],
            set_=newer,
            # An event that was overtaken by a newer one has nothing to say any more.
            where=table.__table__.c.sequence < statement.excluded.sequence,
        )
    )


# Built once, and of tables: with every ticket that is filed or read, SQLAlchemy has only the values
# to look at.
_AREA_COLUMNS, _DEPARTMENT_COLUMNS = (
    cast("Table", row.__table__).c for row in (AreaRow, DepartmentRow)
)
_PATH = select(func.unnest(_AREA_COLUMNS.path)).where(_AREA_COLUMNS.code == bindparam("code"))
_AREA = select(
    *(_AREA_COLUMNS[name] for name in ("code", "path", "routing", "level", "names"))
).where(_AREA_COLUMNS.code.in_(_PATH))
_AREAS, _DEPARTMENTS = (
    select(*columns).where(columns[0] == func.any(bindparam("codes", type_=ARRAY(Text))))
    for columns in (
        (_AREA_COLUMNS.code, _AREA_COLUMNS.names, _AREA_COLUMNS.level),
        (_DEPARTMENT_COLUMNS.code, _DEPARTMENT_COLUMNS.names),
    )
)
# Nobody serves them as a whole: a ticket filed there would be seen by no clerk.
_TOO_WIDE = frozenset({"district", "sub_district"})


def area(session: Session, code: str) -> Area:
    """The place with this code; raises Invalid (unknown_area, area_too_wide)."""
    rows = {row.code: row for row in session.execute(_AREA, {"code": code})}
    found = rows.get(code)
    if found is None:
        raise fault("/area", "unknown_area", "There is no such area.")
    if found.level in _TOO_WIDE:
        raise fault("/area", "area_too_wide", "Name the community or a place in it.")
    names = {row.code: {"names": row.names, "level": row.level} for row in rows.values()}
    return Area(found.code, tuple(found.path), found.routing, Names(names, {}))


def check_department(session: Session, code: str) -> None:
    """Raises Invalid when there is no such department (unknown_department) or it takes no tickets
    any more.
    """
    active = session.scalar(select(DepartmentRow.active).where(DepartmentRow.code == code))
    if active is None:
        raise fault("/department", "unknown_department", "There is no such department.")
    if not active:
        raise fault("/department", "inactive_department", "This department takes no tickets.")


def is_active(session: Session, department: str) -> bool:
    """Whether a department takes tickets."""
    return bool(
        session.scalar(select(DepartmentRow.active).where(DepartmentRow.code == department))
    )


def names(session: Session, tickets: Iterable[Ticket]) -> Names:
    """What every place and department is called that the tickets mention, in two queries however
    many they are.
    """
    found = list(tickets)
    areas = {code for ticket in found for code in ticket.area_path}
    departments = {ticket.department for ticket in found}
    return names_of(session, areas, {code for code in departments if code is not None})


def names_of(session: Session, areas: set[str], departments: set[str]) -> Names:
    """What these places and departments are called."""
    return Names(
        _named(session, _AREAS, areas),
        _named(session, _DEPARTMENTS, departments),
    )


def _named(session: Session, named: Select[Any], codes: set[str]) -> dict[str, Mapping[str, Any]]:
    rows = session.execute(named, {"codes": list(codes)}) if codes else ()
    return {row.code: dict(row._mapping) for row in rows}


def departments_served(session: Session, person: str, today: date) -> set[str | None]:
    """The departments of a person's duties of today, None standing for those that are of no
    department.
    """
    rows = session.scalars(
        select(DutyRow.department).where(DutyRow.person == person, *_on(today)).distinct()
    )
    return set(rows)


def nearest(session: Session, role: str, path: Sequence[str], today: date) -> Any:
    """The duty (id, person, area) of `role` today at the lowest place of `path`, the longest-
    serving person's first; or None.
    """
    duties = session.execute(
        select(DutyRow.id, DutyRow.person, DutyRow.area)
        .where(DutyRow.role == role, DutyRow.area.in_(path), *_on(today))
        .order_by(DutyRow.starts, DutyRow.id)
    ).all()
    return max(duties, key=lambda duty: path.index(duty.area), default=None)


def _on(day: date) -> tuple[ColumnElement[bool], ...]:
    return DutyRow.starts <= day, or_(DutyRow.ends.is_(None), DutyRow.ends >= day)
