"""Consents are given and taken back; what was agreed to, and when, stays."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.errors import NotFound
from chassis.ids import new_id
from services.residents import answers, audit, queries
from services.residents.errors import ConsentGiven
from services.residents.models import Resident
from services.residents.personal_models import Consent
from services.residents.reach import Subject

Wanted = Mapping[str, Any]


def give(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """Note that a person agrees to a purpose. Raises NotFound, Forbidden, ConsentGiven."""
    person = queries.person(session, call, wanted["id"], "residents.consent")
    if person.erased_at is not None:
        raise NotFound
    made = _made_by(session, call)
    if made is None:
        made = _store(session, call, person.id, wanted["purpose"])
        _note(session, call, audit.CONSENT, person)
    return answers.consent(made)


def withdraw(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """Note that a person takes a consent back; the first time counts. Raises NotFound,
    Forbidden.
    """
    person = queries.person(session, call, wanted["id"], "residents.consent")
    consent = queries.get(session, Consent, wanted["consent"], lock=True)
    if consent.person != person.id:
        raise NotFound
    if consent.withdrawn_at is None:
        consent.withdrawn_at = max(call.occurred_at, consent.given_at)
        consent.withdrawn_to = call.actor.id
        session.flush()
        _note(session, call, audit.CONSENT, person)
    return answers.consent(consent)


def history(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """A page of all that a person agreed to and took back, oldest first. Raises NotFound,
    Forbidden.
    """
    person = queries.person(session, call, wanted["id"], "residents.read")
    _note(session, call, audit.READ, person)
    statement = select(*Consent.__table__.c).where(Consent.person == person.id)
    order: queries.Order = {"id": (Consent.id, UUID)}
    return queries.paged(session, statement, order, wanted, answers.consent)


def _note(session: Session, call: Call, action: str, person: Resident) -> None:
    about = Subject("resident", person.id, person.area)
    audit.note(session, call, action, about, fields=["consents"])


def _made_by(session: Session, call: Call) -> Consent | None:
    if call.command_id is None:
        return None
    made = select(Consent).where(Consent.command_id == call.command_id)
    return session.scalars(made).one_or_none()


def _store(session: Session, call: Call, person: UUID, purpose: str) -> Consent:
    """The new consent; where one is in force, or comes at the same time, ConsentGiven."""
    row = Consent(
        id=new_id(),
        person=person,
        purpose=purpose,
        given_at=call.occurred_at,
        given_to=call.actor.id,
        withdrawn_at=None,
        withdrawn_to=None,
        command_id=call.command_id,
    )
    columns = {column.name: getattr(row, column.name) for column in Consent.__table__.columns}
    statement = insert(Consent).values(columns).on_conflict_do_nothing()
    if session.execute(statement.returning(literal(1))).first() is None:
        made = _made_by(session, call)
        if made is None:
            raise ConsentGiven
        return made
    return row
