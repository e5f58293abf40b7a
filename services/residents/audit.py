"""The audit: every use of personal data leaves an entry, in the transaction of that use.

It is the only way to a data key, so that nothing sealed is read without an entry. What passes
through no key (a person made known, a refusal) is noted by name.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import clock, gathering
from chassis.call import Call
from chassis.ids import new_id
from services.residents import area_codes, sealing
from services.residents.models import Household, Resident, ResidentKey
from services.residents.personal_models import AuditEntry, AuditPerson
from services.residents.reach import Denied, Hidden, Subject
from services.residents.vault import DataKey, Vault

# What was done. `contact`: a service was told how to reach somebody.
READ, LIST, REGISTER, CHANGE, CONTACT = "read", "list", "register", "change", "contact"
READ_AUDIT, DISCLOSE, ERASE = "read_audit", "disclose", "erase"
CONSENT, EXPORT = "consent", "export"
# Whatever was done with care tags: the entry must not tell whether there are any.
CARE = "care"
DONE, REFUSED = "done", "refused"


def key(
    session: Session,
    call: Call,
    vault: Vault,
    person: Resident,
    *,
    action: str,
    fields: Collection[str],
    reason: str | None = None,
) -> DataKey | None:
    """The data key of a person, with an entry that says who has it, for which fields and why; None
    if the person was erased.
    """
    subject = Subject("resident", person.id, person.area)
    note(session, call, action, subject, fields=fields, reason=reason)
    stored = session.get(ResidentKey, person.id)
    if stored is None:
        return None
    return sealing.key_of(vault, person.id, stored.key_id, stored.wrapped)


def keys(
    session: Session,
    call: Call,
    vault: Vault,
    rows: Sequence[Any],
    *,
    fields: Collection[str],
    found_by: Collection[str],
) -> Callable[[Any], DataKey | None]:
    """Opens the keys of the rows of a page (`id`, `area`, `key_id`, `wrapped`), with one entry for
    all of them.
    """
    note(
        session,
        call,
        LIST,
        Subject("resident", area=common_area(rows)),
        people=[row.id for row in rows],
        fields=fields,
        found_by=found_by,
    )
    return lambda row: sealing.key_of(vault, row.id, row.key_id, row.wrapped)


def household_key(
    session: Session,
    call: Call,
    vault: Vault,
    household: Household,
    *,
    action: str,
    fields: Collection[str],
) -> DataKey:
    """The data key of a household, with an entry that says who has it, and for which fields."""
    note(session, call, action, Subject("household", household.id, household.area), fields=fields)
    return sealing.key_of_household(vault, household)


def household_keys(
    session: Session,
    call: Call,
    vault: Vault,
    rows: Sequence[Any],
    *,
    fields: Collection[str],
    found_by: Collection[str],
) -> Callable[[Any], DataKey]:
    """Opens the keys of a page of households, with one entry for all of them."""
    about = Subject("household", area=common_area(rows))
    note(session, call, LIST, about, fields=fields, found_by=found_by)
    return lambda row: sealing.key_of_household(vault, row)


def note(
    session: Session,
    call: Call,
    action: str,
    subject: Subject,
    *,
    people: Iterable[UUID] = (),
    fields: Collection[str] = (),
    found_by: Collection[str] = (),
    outcome: str = DONE,
    reason: str | None = None,
) -> None:
    """Add an entry: `action` was done with `fields` of the subject, `found_by` these criteria;
    `people` are those concerned beside a subject that is a person.
    """
    entry = {"id": new_id(), "at": clock.now(), **_who(call), **_what(subject), "action": action}
    told = {"fields": sorted(fields), "found_by": sorted(found_by), "reason": reason}
    concerned = {*people, subject.id} if subject.kind == "resident" else {*people}
    links = [
        {"person": person, "at": entry["at"], "entry": entry["id"]}
        for person in concerned
        if person is not None
    ]
    entry |= {**told, "outcome": outcome, "people": len(links)}
    gathering.insert(session, AuditEntry, entry)
    gathering.insert(session, AuditPerson, *links)


def refused(session: Session, call: Call, refusal: Hidden | Denied) -> None:
    """Add an entry for what was refused: the operation, and what it was wanted for."""
    if refusal.subject is not None:
        note(
            session,
            call,
            refusal.operation,
            refusal.subject,
            outcome=REFUSED,
            reason=refusal.code,
        )


def common_area(rows: Sequence[Any]) -> str | None:
    """The community that all of these lie in, if there is one."""
    communities = {row.area and area_codes.community(row.area) for row in rows}
    return communities.pop() if len(communities) == 1 else None


def _who(call: Call) -> dict[str, Any]:
    return {
        "actor": call.actor.id,
        "actor_kind": call.actor.kind,
        "api_key": call.actor.attributes.get("api_key"),
        "request_id": call.request_id,
    }


def _what(subject: Subject) -> dict[str, Any]:
    return {
        "kind": subject.kind,
        "subject": subject.id,
        "community": subject.area and area_codes.community(subject.area),
    }
