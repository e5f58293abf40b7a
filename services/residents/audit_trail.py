"""Reading the audit: newest first, each list a range of one index (see the migration)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, or_, select, true, tuple_
from sqlalchemy.orm import Session

from chassis import clock, walls
from chassis.call import Call
from services.residents import area_codes, audit, paging, queries, reach
from services.residents.personal_models import AuditEntry, AuditPerson
from services.residents.reach import Scope, Subject

Wanted = Mapping[str, Any]


def entries(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """A page of the whole audit, or of one's communities'. Raises Forbidden."""
    reach.demand_to_list(call, "residents.audit", "audit")
    scope = reach.scope(call, "residents.audit")
    if scope.person and not (scope.everything or scope.areas):
        # What concerns oneself is at one's own entry.
        return _of(session, call, {**wanted, "person": scope.person}, Subject("audit"))
    return _page(session, call, _in(scope), wanted, Subject("audit"))


def of_resident(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """A page of what was done with one person's data. Raises NotFound, Forbidden."""
    person = queries.person(session, call, wanted["id"], "residents.audit")
    about = Subject("resident", person.id, person.area)
    return _of(session, call, {**wanted, "person": person.id}, about)


def _of(session: Session, call: Call, wanted: Wanted, about: Subject) -> dict[str, Any]:
    """What was done with one person's data, in whichever community."""
    walls.tell(session, {"about": str(wanted["person"])})
    return _page(session, call, true(), wanted, about)


def _page(
    session: Session, call: Call, seen: ColumnElement[bool], wanted: Wanted, about: Subject
) -> dict[str, Any]:
    rows = session.execute(_statement(seen, wanted)).all()
    found_by = wanted.keys() & {"person", "actor", "action", "start", "end"}
    audit.note(session, call, audit.READ_AUDIT, about, found_by=found_by)
    return paging.page(rows, wanted["limit"], lambda row: [clock.iso(row.at), row.id], _answer)


def _statement(seen: ColumnElement[bool], wanted: Wanted) -> Select[Any]:
    statement = select(*AuditEntry.__table__.c).where(seen)
    # The person's own index leads to the entries, and has the order.
    at: Any = AuditEntry.at
    entry: Any = AuditEntry.id
    if "person" in wanted:
        at, entry = AuditPerson.at, AuditPerson.entry
        statement = statement.join(AuditPerson, AuditPerson.entry == AuditEntry.id).where(
            AuditPerson.person == wanted["person"]
        )
    for field in ("actor", "action"):
        if field in wanted:
            statement = statement.where(getattr(AuditEntry, field) == wanted[field])
    statement = statement.where(*_between(at, wanted))
    after = paging.decode(wanted["after"], clock.parse, UUID)
    if after is not None:
        statement = statement.where(tuple_(at, entry) < tuple_(*after))
    return statement.order_by(at.desc(), entry.desc()).limit(wanted["limit"] + 1)


def _between(at: Any, wanted: Mapping[str, datetime]) -> list[ColumnElement[bool]]:
    bounds = []
    if "start" in wanted:
        bounds.append(at >= wanted["start"])
    if "end" in wanted:
        bounds.append(at < wanted["end"])
    return bounds


def _in(scope: Scope) -> ColumnElement[bool]:
    """Within communities: official codes are padded with zeros, and begin with those above."""
    if scope.everything:
        return true()
    return or_(false(), *(_community(code) for code in scope.areas))


def _community(code: str) -> ColumnElement[bool]:
    level = area_codes.level(code)
    if level == "community":
        return AuditEntry.community == code
    if level not in ("district", "sub_district"):
        return false()
    return AuditEntry.community.startswith(code.removesuffix("000").removesuffix("000"))


def _answer(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "at": clock.iso(row.at),
        "actor": {"id": row.actor, "kind": row.actor_kind, "api_key": row.api_key},
        "action": row.action,
        "kind": row.kind,
        "subject": row.subject and str(row.subject),
        "people": row.people,
        "fields": row.fields,
        "found_by": row.found_by,
        "community": row.community,
        "request_id": row.request_id,
        "outcome": row.outcome,
        "reason": row.reason,
    }
