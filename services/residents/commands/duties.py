"""People take on duties and give them up."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from chassis import walls
from chassis.call import Call
from chassis.errors import Invalid
from chassis.events import EventSchema, Route, emit
from chassis.ids import new_id
from services.residents import answers, area_codes, duty_rules, queries, reach
from services.residents.commands import rows
from services.residents.errors import DutyOverlaps, invalid
from services.residents.events import DutyChanged, DutyEnded, DutyStarted
from services.residents.models import Area, Department, Duty, Resident


def start(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Give a duty to a person. Raises Forbidden, DutyOverlaps, and Invalid for a person, area or
    department that do not fit.
    """
    duty = _new(call, wanted)
    reach.demand_to_add(call, _holds(call, duty), "duties.write")
    _check(session, duty)
    made = rows.made_by(session, Duty, call)
    if made is not None:
        return answers.duty(made)
    _refuse_overlap(session, duty, duty.ends)
    session.add(duty)
    _emit(session, call, DutyStarted, duty)
    return answers.duty(duty)


def end(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Set or change the last day of a duty; None opens it again. Raises NotFound, Forbidden,
    Invalid, DutyOverlaps.
    """
    duty = queries.get(session, Duty, wanted["id"])
    reach.demand(call, _holds(call, duty), "duties.write")
    _lock_person(session, duty)
    session.refresh(duty)
    before, after = duty.ends, wanted["ends"]
    if after == before:
        return answers.duty(duty)
    _check_days(duty.starts, after)
    _refuse_overlap(session, duty, after)
    duty.ends = after
    duty.sequence += 1
    _emit(session, call, DutyEnded if before is None else DutyChanged, duty)
    return answers.duty(duty)


def _new(call: Call, wanted: Mapping[str, Any]) -> Duty:
    area = wanted["area"]
    return Duty(
        id=new_id(),
        person=wanted["person"],
        role=wanted["role"],
        area=area,
        tree_key=area_codes.tree_key(area) if area else "",
        department=wanted["department"],
        starts=wanted["starts"],
        ends=wanted["ends"],
        sequence=1,
        command_id=call.command_id,
        created_at=call.occurred_at,
    )


def _holds(call: Call, duty: Duty) -> reach.Holds:
    if duty.role == "administrator":
        # Whoever may give duties in one place must not be able to give themselves every place.
        return lambda granted: granted == "any"
    return reach.of_duty(call, duty.person, duty.area, duty.department)


def _check(session: Session, duty: Duty) -> None:
    _check_days(duty.starts, duty.ends)
    _check_scope(duty)
    if duty.area is not None and session.get(Area, duty.area) is None:
        raise invalid("area", "unknown_area", "There is no such area.")
    if duty.department is not None and not _is_active(session, duty.department):
        raise invalid("department", "unknown_department", "There is no such active department.")
    if not _lock_person(session, duty):
        raise invalid("person", "unknown_person", "There is no such person.")


def _check_days(starts: date, ends: date | None) -> None:
    if duty_rules.ends_too_early(starts, ends):
        raise invalid("to", "before_start", "The last day lies before the first.")


def _check_scope(duty: Duty) -> None:
    level = duty.area and area_codes.level(duty.area)
    faults = [
        {"pointer": f"/{field}", "code": code, "message": message}
        for field, code, message in duty_rules.faults(duty.role, level, duty.department)
    ]
    if faults:
        raise Invalid(errors=faults)


def _is_active(session: Session, code: str) -> bool:
    department = session.get(Department, code)
    return department is not None and department.active


def _lock_person(session: Session, duty: Duty) -> bool:
    """Whether there is such a person, not erased. Their row stays locked: duties of one person are
    given one after the other, so that two that overlap cannot pass each other (an exclusion
    constraint would need an extension that not every server has).
    """
    person = select(Resident.id).where(Resident.id == duty.person, Resident.erased_at.is_(None))
    with walls.opened(session):  # They may live anywhere.
        return session.scalar(person.with_for_update()) is not None


def _refuse_overlap(session: Session, duty: Duty, ends: date | None) -> None:
    overlapping = select(Duty.id).where(
        Duty.id != duty.id,
        Duty.person == duty.person,
        Duty.role == duty.role,
        Duty.area.is_not_distinct_from(duty.area),
        Duty.department.is_not_distinct_from(duty.department),
        Duty.starts <= (ends or date.max),
        # One that was revoked before it came into force is in nobody's way.
        or_(Duty.ends.is_(None), Duty.ends >= func.greatest(Duty.starts, duty.starts)),
    )
    other = session.scalar(overlapping.limit(1))
    if other is not None:
        raise DutyOverlaps(duty=str(other))


def _emit(session: Session, call: Call, schema: type[EventSchema], duty: Duty) -> None:
    emit(
        session,
        call,
        schema,
        subject=str(duty.id),
        sequence=duty.sequence,
        route=Route(
            addressee=duty.department or "none",
            place=area_codes.routing(duty.area) if duty.area else "none",
        ),
        data={
            "duty": duty.id,
            "person": duty.person,
            "role": duty.role,
            "area": duty.area,
            "department": duty.department,
            "starts": duty.starts,
            "ends": duty.ends,
        },
    )
