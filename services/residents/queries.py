"""What is read, and how it is found: plain functions of a session, within the scope of what the
caller may see.

Lists are Core statements over columns, in the order of a unique key that is also the cursor.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, false, or_, select, text, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis import clock
from chassis.call import Call
from chassis.errors import NotFound
from services.residents import answers, area_codes, audit, paging, phone_changes, reach, sealing
from services.residents.models import Area, Base, Department, Duty, Resident, ResidentKey
from services.residents.reach import Denied, Scope, Subject
from services.residents.vault import Vault

Wanted = Mapping[str, Any]
# In the "C" collation it comes after all that tree keys are made of.
LAST = "~"
Thing = TypeVar("Thing", bound=Base)


def get(session: Session, model: type[Thing], key: Any, *, lock: bool = False) -> Thing:
    """The row with this primary key, locked for the transaction if asked; raises NotFound."""
    row = session.get(model, key, with_for_update=lock or None)
    if row is None:
        raise NotFound
    return row


def person(
    session: Session, call: Call, person_id: UUID, operation: str, *, lock: bool = False
) -> Resident:
    """The person, for whom `operation` is allowed. Raises NotFound, Forbidden, with which the audit
    is told where they are, also when they are behind the wall.
    """
    found = session.get(Resident, person_id, with_for_update=lock or None)
    area = found.area if found else place_unseen(session, "resident", person_id)
    about = Subject("resident", person_id, area)
    reach.demand(call, reach.of_resident(call, person_id, area), operation, about)
    if found is None:
        raise NotFound
    return found


def place_unseen(session: Session, kind: str, thing: UUID) -> str | None:
    """Where a `resident` or `household` lies that the transaction does not see, by a function that
    says nothing else; raises NotFound where there is none.
    """
    asked = {"kind": kind, "of": thing}
    row = session.execute(text("SELECT area FROM place_of(:kind, :of) AS area"), asked).first()
    if row is None:
        raise NotFound
    return row.area  # type: ignore[no-any-return]


def area(session: Session, call: Call, code: str) -> dict[str, Any]:
    """One place; raises NotFound, also for what the caller may not see."""
    found = get(session, Area, code)
    reach.demand(call, reach.of_area(code), "areas.read")
    return answers.area(found)


def areas(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """A page of places: those nearest to `near` (or else to the caller's own) first, then in the
    order of the tree.
    """
    scope = reach.scope(call, "areas.read", reach.OPEN)
    near = wanted.get("near") or _home(session, call)
    order: Order = {"tree_key": (Area.tree_key, paging.text)}
    if near:
        order = {"distance": (_distance(near), int)} | order
    statement = select(*Area.__table__.c).where(
        in_scope(Area.tree_key, scope),
        *within(Area.tree_key, wanted),
        *equal(Area, wanted, "level"),
    )
    return paged(session, statement, order, wanted, answers.area)


def area_children(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """A page of the places right below one, in the order of the tree; raises NotFound."""
    area(session, call, wanted["code"])
    statement = select(*Area.__table__.c).where(Area.parent == wanted["code"])
    order: Order = {"tree_key": (Area.tree_key, paging.text)}
    return paged(session, statement, order, wanted, answers.area)


def department(session: Session, call: Call, code: str) -> dict[str, Any]:
    """One department; raises NotFound."""
    found = get(session, Department, code)
    reach.demand(call, reach.of_department(code), "departments.read")
    return answers.department(found)


def departments(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """A page of departments, by code."""
    scope = reach.scope(call, "departments.read", reach.OPEN)
    seen = true() if scope.everything else Department.code.in_(scope.departments)
    statement = select(*Department.__table__.c).where(seen, *equal(Department, wanted, "active"))
    order: Order = {"code": (Department.code, paging.text)}
    return paged(session, statement, order, wanted, answers.department)


def resident(session: Session, call: Call, vault: Vault, resident_id: UUID) -> dict[str, Any]:
    """One person; raises NotFound."""
    found = person(session, call, resident_id, "residents.read")
    key = audit.key(session, call, vault, found, action=audit.READ, fields=answers.OF_RESIDENT)
    return answers.resident(found, key)


def disclosure(session: Session, call: Call, vault: Vault, wanted: Wanted) -> dict[str, Any]:
    """Some fields of a person in plain text, for a reason that stays in the audit; raises NotFound,
    Forbidden.
    """
    found = person(session, call, wanted["id"], "residents.disclose")
    fields, reason = wanted["fields"], wanted["reason"]
    key = audit.key(
        session, call, vault, found, action=audit.DISCLOSE, fields=fields, reason=reason
    )
    return answers.disclosed(found, key, fields)


def contact(session: Session, call: Call, vault: Vault, wanted: Wanted) -> dict[str, Any]:
    """How to reach a person, for the service that does: as they are, or to tell them of a `change`
    by the number before. Raises NotFound, Forbidden.
    """
    if call.actor.kind != "system" or call.actor.id not in reach.REACH_PEOPLE:
        raise Denied("contact", Subject("resident"))
    found = get(session, Resident, wanted["id"])
    key = audit.key(session, call, vault, found, action=audit.CONTACT, fields=answers.OF_CONTACT)
    if wanted["change"] is None:
        return answers.contact(found, key)
    change = phone_changes.standing(session, found, wanted["change"])
    return answers.contact_before(found, change, key)


def residents(session: Session, call: Call, vault: Vault, wanted: Wanted) -> dict[str, Any]:
    """A page of people, by place. A phone, ID number or name is found by its whole value only.
    Raises Forbidden.
    """
    reach.demand_to_list(call, "residents.read", "resident")
    scope = reach.scope(call, "residents.read")
    found = [
        column == sealing.index(vault, field, wanted[field])
        for field, column in _INDEXED.items()
        if field in wanted
    ]
    statement = (
        select(*Resident.__table__.c, ResidentKey.key_id, ResidentKey.wrapped)
        .outerjoin(ResidentKey, ResidentKey.resident == Resident.id)
        .where(
            in_scope(Resident.tree_key, scope, Resident.id == scope.person),
            Resident.erased_at.is_(None),
            *found,
            *within(Resident.tree_key, wanted),
        )
    )
    order: Order = {"tree_key": (Resident.tree_key, paging.text), "id": (Resident.id, UUID)}
    page = paged(session, statement, order, wanted, lambda row: row)
    criteria = wanted.keys() & {*_INDEXED, "within"}
    key = audit.keys(
        session, call, vault, page["items"], fields=answers.OF_LISTED, found_by=criteria
    )
    return {**page, "items": [answers.listed_resident(row, key(row)) for row in page["items"]]}


def duty(session: Session, call: Call, duty_id: UUID) -> dict[str, Any]:
    """One duty; raises NotFound."""
    found = get(session, Duty, duty_id)
    holds = reach.of_duty(call, found.person, found.area, found.department)
    reach.demand(call, holds, "duties.read")
    return answers.duty(found)


def duties(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """A page of duties, in the order in which they were given."""
    scope = reach.scope(call, "duties.read")
    own = Duty.person == scope.person
    theirs = Duty.department.in_(scope.departments)
    statement = select(*Duty.__table__.c).where(
        in_scope(Duty.tree_key, scope, own, theirs),
        *equal(Duty, wanted, "person", "role", "department"),
        *within(Duty.tree_key, wanted),
        *([in_force(wanted["on"])] if "on" in wanted else []),
    )
    return paged(session, statement, {"id": (Duty.id, UUID)}, wanted, answers.duty)


def subtree(column: InstrumentedAttribute[str], code: str) -> ColumnElement[bool]:
    """Whether a place lies in `code`: those that begin with its tree key are a range of the index.
    LIKE is too, but not below a wall, where nothing but leakproof operators may use an index.
    """
    first = area_codes.tree_key(code)
    return and_(column >= first, column < first + LAST)


_INDEXED = {
    "phone": Resident.phone_index,
    "id_number": Resident.id_number_index,
    "name": Resident.name_index,
}

# For each column that a list is sorted by, its name in the row, and how its value is read from a
# cursor.
Order = dict[str, tuple[Any, Callable[[str], Any]]]


def paged(
    session: Session,
    statement: Select[Any],
    order: Order,
    wanted: Wanted,
    answer: Callable[[Any], dict[str, Any]],
) -> dict[str, Any]:
    """The page of a list that `wanted` asks for, in the order of a unique key."""
    columns = [column for column, _ in order.values()]
    after = paging.decode(wanted["after"], *(read for _, read in order.values()))
    if after is not None:
        statement = statement.where(tuple_(*columns) > tuple_(*after))
    if "distance" in order:
        statement = statement.add_columns(order["distance"][0].label("distance"))
    rows = session.execute(statement.order_by(*columns).limit(wanted["limit"] + 1)).all()
    return paging.page(
        rows, wanted["limit"], lambda row: [getattr(row, name) for name in order], answer
    )


def _home(session: Session, call: Call) -> str | None:
    """Where the caller is at home: the area of a duty of today's, or else the one they live in."""
    me = reach.person(call)
    if me is None:
        return None
    duty = select(Duty.area).where(
        Duty.person == me, Duty.area.is_not(None), in_force(clock.local(clock.now()).date())
    )
    lives = select(Resident.area).where(Resident.id == me)
    return session.scalar(duty.order_by(Duty.id).limit(1)) or session.scalar(lives)


def in_scope(
    column: InstrumentedAttribute[str], scope: Scope, *otherwise: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether a row lies in a scope, by the tree key of its place or `otherwise`."""
    if scope.everything:
        return true()
    return or_(false(), *(subtree(column, code) for code in scope.areas), *otherwise)


def within(column: InstrumentedAttribute[str], wanted: Wanted) -> list[ColumnElement[bool]]:
    """That a row lies in the place that is asked for, if one is."""
    return [subtree(column, wanted["within"])] if "within" in wanted else []


def equal(model: type[Base], wanted: Wanted, *fields: str) -> list[ColumnElement[bool]]:
    """That a row has the values that are asked for in `fields`."""
    return [getattr(model, field) == wanted[field] for field in fields if field in wanted]


def _distance(near: str) -> ColumnElement[int]:
    """How many levels above `near` the smallest place lies that holds a row too."""
    around = area_codes.path(near)[::-1]
    rings = [(subtree(Area.tree_key, code), steps) for steps, code in enumerate(around)]
    return case(*rings, else_=len(rings))


def in_force(day: date) -> ColumnElement[bool]:
    """Whether a duty is in force on a day."""
    return and_(Duty.starts <= day, or_(Duty.ends.is_(None), Duty.ends >= day))
