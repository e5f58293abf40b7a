"""People become known, are registered, and what is recorded of them is amended; what is personal is
sealed before it is stored.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis import clock, walls
from chassis.call import Call
from chassis.errors import NotFound
from chassis.ids import new_id
from services.residents import (
    answers,
    area_codes,
    audit,
    phone_changes,
    queries,
    reach,
    sealing,
    withdrawn_phones,
)
from services.residents.commands import on_duty, renumbering, rows, telling
from services.residents.errors import ResidentExists, invalid
from services.residents.events import ResidentAmended, ResidentRegistered
from services.residents.models import Area, Resident, ResidentKey
from services.residents.personal import Personal
from services.residents.reach import Subject
from services.residents.vault import DataKey, Vault

# What people may amend of themselves. A phone number is what they sign in by: changing it needs
# somebody who knows them.
_OWN_TO_AMEND = frozenset({"name", "email", "address", "locale"})


def register(
    session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    """Put a person on the register. Raises Forbidden, Invalid (unknown_area), ResidentExists.

    Someone who so far was only known by signing in or by a request (see `ensure`) is completed
    rather than registered twice.
    """
    person, key = enter(session, call, vault, wanted)
    if person is not None:
        return answers.resident(person, key)
    # Who has a number already may be anywhere, or nowhere yet.
    with walls.opened(session):
        return _registered_before(session, call, vault, wanted)


def enter(
    session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]
) -> tuple[Resident | None, DataKey | None]:
    """Put a person on the register and give them with their key; (None, None) where somebody is
    there already. Raises Forbidden, Invalid (unknown_area).
    """
    _demand_to_register(call, wanted["area"])
    _check_area(session, wanted["area"])
    if wanted["phone"] is not None:
        withdrawn_phones.give(session, sealing.index(vault, "phone", wanted["phone"]))
    return _store(session, call, vault, wanted, _command_id(call))


def ensure(
    session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any], *, hold: timedelta
) -> dict[str, Any]:
    """The id of the person with this phone number, who is made known if nobody was, unless only
    whoever is `known` is wanted: then None.

    Asks for no grant: it is how people sign in and how a request gets its reporter, and its answer
    says nothing about them. `signing_in` raises PhoneWithdrawn, and PhoneOnHold until somebody
    else's change of the number is `hold` ago.
    """
    index = sealing.index(vault, "phone", wanted["phone"])
    if wanted["signing_in"]:
        withdrawn_phones.check_signing_in(session, index)
    with walls.opened(session):
        if wanted["known"]:
            found = session.scalar(select(Resident.id).where(Resident.phone_index == index))
            return {"id": found and str(found)}
        person = _ensured(session, call, vault, wanted, index)
        if wanted["signing_in"]:
            phone_changes.check_signing_in(session, person, index, hold)
        return {"id": str(person)}


def amend(session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Change what is recorded of a person. Raises NotFound, Forbidden, NumbersOfStaff, Invalid
    (unknown_area), ResidentExists.
    """
    person = queries.person(session, call, wanted["id"], "residents.write", lock=True)
    changes = {field: value for field, value in wanted.items() if field != "id"}
    _demand_to_amend(call, person, changes)
    _check_area(session, changes.get("area"))
    return _amend(session, call, vault, person, changes)


def _ensured(
    session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any], index: bytes
) -> UUID:
    same = Resident.phone_index == index
    known = session.scalar(select(Resident.id).where(same))
    if known is not None:
        _note_use(session, known)
    else:
        person, _ = _store(session, call, vault, wanted, None)
        # Where storing met another's insert, that one is committed by now and can be read.
        known = person.id if person else session.scalars(select(Resident.id).where(same)).one()
    return known


def _store(
    session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any], command_id: str | None
) -> tuple[Resident | None, DataKey | None]:
    """Insert a person and their key; (None, None) if the phone, the ID number or the command is
    there already.
    """
    person_id = new_id()
    wrapped, key = vault.new_key(person_id)
    area = wanted.get("area")
    person = Resident(
        id=person_id,
        area=area,
        tree_key=_tree_key(area),
        locale=wanted.get("locale", call.locale),
        sequence=1,
        command_id=command_id,
        registered_at=call.occurred_at,
        used_at=clock.now(),
        **sealing.columns(vault, key, {field: wanted.get(field) for field in sealing.SEALED}),
    )
    if not rows.store(session, person):
        return None, None
    rows.store(
        session, ResidentKey(resident=person_id, key_id=wrapped.key_id, wrapped=wrapped.wrapped)
    )
    given = [field for field in sealing.SEALED if wanted.get(field)]
    audit.note(session, call, audit.REGISTER, Subject("resident", person_id, area), fields=given)
    telling.tell(session, call, ResidentRegistered, person)
    return person, key


def _note_use(session: Session, person: UUID) -> None:
    """Note that somebody was heard of, once a day at most: what is unused is not kept for ever."""
    now = clock.now()
    stale = Resident.used_at < now - timedelta(days=1)
    session.execute(update(Resident).where(Resident.id == person, stale).values(used_at=now))


def _command_id(call: Call) -> str:
    """Whoever is registered has one: without it they would pass for known by phone only."""
    return call.command_id or str(new_id())


def _registered_before(
    session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    made = rows.made_by(session, Resident, call)
    if made is not None:
        key = audit.key(session, call, vault, made, action=audit.READ, fields=answers.OF_RESIDENT)
        return answers.resident(made, key)
    known = wanted["phone"] and _known_by_phone_only(session, vault, wanted["phone"])
    if known is None:
        raise _exists(session, call, vault, wanted)
    known.command_id = _command_id(call)
    given = {field: value for field, value in wanted.items() if value is not None}
    return _amend(session, call, vault, known, given)


def _amend(
    session: Session, call: Call, vault: Vault, person: Resident, changes: Mapping[str, Any]
) -> dict[str, Any]:
    key = audit.key(session, call, vault, person, action=audit.CHANGE, fields=changes.keys())
    if key is None:
        raise NotFound  # Erased: there is nothing left to amend.
    changed = differing(person, key, changes)
    if not on_duty.NUMBERS.isdisjoint(changed):
        on_duty.demand_to_renumber(session, call, person)
    if changed:
        before = phone_changes.number_of(person)
        _apply(vault, key, person, changed)
        person.sequence += 1
        with _taken():
            session.flush()
        telling.tell(session, call, ResidentAmended, person)
        if "phone" in changed:
            renumbering.change(session, call, person, before)
    return answers.resident(person, key)


def differing(person: Resident, key: DataKey, told: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a person that is not what is recorded."""
    return {field: value for field, value in told.items() if value != _current(person, key, field)}


def _apply(vault: Vault, key: DataKey, person: Resident, changed: Mapping[str, Any]) -> None:
    sealed = {field: value for field, value in changed.items() if field in sealing.SEALED}
    columns = sealing.columns(vault, key, sealed) | {
        field: value for field, value in changed.items() if field not in sealing.SEALED
    }
    if "area" in changed:
        columns["tree_key"] = _tree_key(changed["area"])
    for column, value in columns.items():
        setattr(person, column, value)


def _current(person: Resident, key: DataKey, field: str) -> Any:
    if field in sealing.SEALED:
        return sealing.opened(person, key, field)
    return getattr(person, field)


def _demand_to_amend(call: Call, person: Resident, changes: Mapping[str, Any]) -> None:
    holds = reach.of_resident(call, person.id, person.area)
    about = Subject("resident", person.id, person.area)
    if not _OWN_TO_AMEND.issuperset(changes):
        reach.demand_to_add(
            call, lambda granted: granted != "own" and holds(granted), "residents.write", about
        )
    if changes.get("area") is not None:
        _demand_to_register(call, changes["area"])


def _demand_to_register(call: Call, area: str | None) -> None:
    about = Subject("resident", area=area)
    reach.demand_to_add(call, reach.of_resident(call, None, area), "residents.write", about)


def _check_area(session: Session, area: str | None) -> None:
    if area is not None and session.get(Area, area) is None:
        raise invalid("area", "unknown_area", "There is no such area.")


def _tree_key(area: str | None) -> str:
    return area_codes.tree_key(area) if area else ""


def _known_by_phone_only(session: Session, vault: Vault, phone: Personal) -> Resident | None:
    """The person with this number, locked, if nobody registered them yet: no command made them."""
    person = select(Resident).where(
        Resident.phone_index == sealing.index(vault, "phone", phone), Resident.command_id.is_(None)
    )
    return session.scalars(person.with_for_update()).one_or_none()


def _exists(
    session: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]
) -> ResidentExists:
    """Who is in the way is named to those who may see them."""
    given = [field for field in ("phone", "id_number") if wanted[field] is not None]
    same = [
        getattr(Resident, f"{field}_index") == sealing.index(vault, field, wanted[field])
        for field in given
    ]
    for person in session.scalars(select(Resident).where(or_(*same))):
        if "residents.read" in call.may(reach.of_resident(call, person.id, person.area)):
            return ResidentExists(resident=str(person.id))
    return ResidentExists()


@contextmanager
def _taken() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        # Only the blind indexes are unique among what can be amended.
        raise ResidentExists from None
