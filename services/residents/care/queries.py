"""What is read of care tags. Every use is noted in the same words, whether there are any or not."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.call import Call
from services.residents import answers, audit, paging, queries, reach
from services.residents.care.models import CareTag
from services.residents.care.vocabulary import TAGS
from services.residents.models import Resident
from services.residents.queries import Order
from services.residents.reach import Subject
from services.residents.vault import Vault

Wanted = Mapping[str, Any]


def kinds(call: Call) -> dict[str, Any]:
    """The tags there are; raises Forbidden."""
    reach.demand_to_list(call, "care_tags.read", "care_tag")
    items = [{"code": code, "names": dict(names)} for code, names in TAGS.items()]
    return {"items": items, "next": None}


def in_area(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """A page of people's open tags, by place. Raises Forbidden.

    The audit is told of the list and not of whom it shows: their own entries would say that they
    have tags.
    """
    reach.demand_to_list(call, "care_tags.read", "care_tag")
    scope = reach.scope(call, "care_tags.read")
    found_by = wanted.keys() & {"within", "tag"}
    audit.note(session, call, audit.CARE, Subject("care_tag"), found_by=found_by)
    statement = (
        select(*CareTag.__table__.c, Resident.area, Resident.tree_key)
        .join(Resident, Resident.id == CareTag.resident)
        .where(
            CareTag.ends.is_(None),
            Resident.erased_at.is_(None),
            queries.in_scope(Resident.tree_key, scope),
            *queries.within(Resident.tree_key, wanted),
            *queries.equal(CareTag, wanted, "tag"),
        )
    )
    order: Order = {
        "tree_key": (Resident.tree_key, paging.text),
        "resident": (Resident.id, UUID),
        "id": (CareTag.id, UUID),
    }
    return queries.paged(session, statement, order, wanted, answers.listed_care_tag)


def of_resident(session: Session, call: Call, vault: Vault, wanted: Wanted) -> dict[str, Any]:
    """A page of one person's tags with their notes, in the order in which they were given. Raises
    NotFound, Forbidden.
    """
    person = seen(session, call, wanted["id"], "care_tags.read")
    key = noted_key(session, call, vault, person)
    statement = select(*CareTag.__table__.c).where(CareTag.resident == person.id)
    order: Order = {"id": (CareTag.id, UUID)}
    return queries.paged(session, statement, order, wanted, lambda row: answer(row, key))


def seen(
    session: Session, call: Call, resident: UUID, operation: str, *, lock: bool = False
) -> Resident:
    """The person, for whom `operation` is allowed; raises NotFound, Forbidden."""
    return queries.person(session, call, resident, operation, lock=lock)


def noted_key(session: Session, call: Call, vault: Vault, person: Resident) -> Any:
    """The person's data key, whatever is done with their tags; None if they were erased."""
    return audit.key(session, call, vault, person, action=audit.CARE, fields=["care_tags"])


def note_field(tag: UUID) -> str:
    """What the note of a tag is sealed as."""
    return f"care_tag:{tag}"


def answer(row: Any, key: Any) -> dict[str, Any]:
    """A tag with its note in plain text."""
    note = key.open(note_field(row.id), bytes(row.note)) if key and row.note else None
    return answers.care_tag(row, note)
