"""Departments join, are renamed, closed and opened again."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.events import EventSchema, Route, emit
from services.residents import answers, queries, reach
from services.residents.commands import rows
from services.residents.errors import DepartmentExists
from services.residents.events import DepartmentAdded, DepartmentChanged
from services.residents.models import Department


def add(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Add a department, active at once. Raises Forbidden, DepartmentExists."""
    reach.demand_to_add(call, reach.of_department(wanted["code"]), "departments.write")
    department = Department(
        code=wanted["code"],
        name=wanted["name"],
        names=rows.names(wanted["name"], wanted.get("names")),
        active=True,
        sequence=1,
        command_id=call.command_id,
        created_at=call.occurred_at,
    )
    if not rows.store(session, department):
        return answers.department(_made_before(session, call, department.code))
    _emit(session, call, DepartmentAdded, department)
    return answers.department(department)


def change(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Rename, close or open a department. A new name drops translations of the old one. Raises
    NotFound, Forbidden.
    """
    department = queries.get(session, Department, wanted["code"], lock=True)
    reach.demand(call, reach.of_department(department.code), "departments.write")
    before = (department.name, department.names, department.active)
    after = _changed(department, wanted)
    if after != before:
        department.name, department.names, department.active = after
        department.sequence += 1
        _emit(session, call, DepartmentChanged, department)
    return answers.department(department)


def _changed(department: Department, wanted: Mapping[str, Any]) -> tuple[str, dict[str, Any], bool]:
    name = wanted.get("name", department.name)
    names = department.names
    if "name" in wanted or "names" in wanted:
        names = rows.names(name, wanted.get("names"))
    return name, names, wanted.get("active", department.active)


def _made_before(session: Session, call: Call, code: str) -> Department:
    made = rows.made_by(session, Department, call)
    if made is None:
        raise DepartmentExists(department=code)
    return made


def _emit(session: Session, call: Call, schema: type[EventSchema], department: Department) -> None:
    emit(
        session,
        call,
        schema,
        subject=department.code,
        sequence=department.sequence,
        route=Route(addressee=department.code),
        data={
            "code": department.code,
            "name": department.name,
            "names": department.names,
            "active": department.active,
        },
    )
