"""Whom rows are about, of those on the register: found for many rows at once.

A person is known by their ID number, or else by their phone. Somebody with neither is known by
their name in their area; in a register of households, by their name behind the door.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from services.residents import sealing
from services.residents.errors import ResidentExists
from services.residents.imports.resident_cells import Told, Wanted
from services.residents.models import Household, Member, Resident, ResidentKey
from services.residents.vault import Vault

NUMBERS = ("id_number", "phone")

# A Resident with what the audit needs to open their key.
Found = Row[Any]
_FOUND: Any = select(
    Resident, Resident.id, Resident.area, ResidentKey.key_id, ResidentKey.wrapped
).outerjoin(ResidentKey, ResidentKey.resident == Resident.id)
_UNNUMBERED = (Resident.phone_index.is_(None), Resident.id_number_index.is_(None))


class KnownPeople:
    """Those on the register whom some rows may be about, with one query a way to know them."""

    def __init__(self, session: Session, vault: Vault, told: Sequence[Told]) -> None:
        self._session = session
        self._vault = vault
        people = [each.person for each in told]
        self._numbers = {field: self._with_numbers(field, people) for field in NUMBERS}
        unnumbered = [each for each in told if not _has_number(each.person)]
        self._words = self._with_words([each.person for each in unnumbered if not each.at_door])
        self._behind = self._behind_doors([each for each in unnumbered if each.at_door])

    def marks(self, told: Told) -> set[tuple[Any, ...]]:
        """What a person is known by; rows that share one may be about the same person."""
        wanted = told.person
        if not _has_number(wanted):
            where = told.door_index if told.at_door else wanted["area"]
            return {("name", self._name(wanted), where)}
        return {(field, self._index(field, wanted)) for field in NUMBERS if wanted[field]}

    def find(self, told: Told) -> Found | None:
        """Whom a row is about. Raises ResidentExists where its phone is another person's."""
        wanted = told.person
        if not _has_number(wanted):
            if told.at_door:
                return self._behind.get((self._name(wanted), told.door_index))
            return self._words.get((self._name(wanted), wanted["area"]))
        by_number = self._by("id_number", wanted)
        if by_number is not None:
            return by_number
        by_phone = self._by("phone", wanted)
        if by_phone is None:
            return None
        known: Resident = by_phone.Resident
        if known.command_id is not None and not self._may_be(known, wanted):
            raise ResidentExists
        return by_phone

    def _by(self, field: str, wanted: Wanted) -> Found | None:
        return self._numbers[field].get(self._index(field, wanted)) if wanted[field] else None

    def _may_be(self, known: Resident, wanted: Wanted) -> bool:
        """Families share phones: whoever is called otherwise, or has another ID number, is another
        person.
        """
        if known.id_number_index is not None and wanted["id_number"] is not None:
            return False
        return known.name_index in (None, self._name(wanted))

    def _with_numbers(self, field: str, told: Sequence[Wanted]) -> Mapping[bytes, Found]:
        column = getattr(Resident, f"{field}_index")
        indexes = [self._index(field, each) for each in told if each[field]]
        return {getattr(row.Resident, column.key): row for row in self._rows(column, indexes)}

    def _with_words(self, told: Sequence[Wanted]) -> Mapping[tuple[bytes, str | None], Found]:
        names = [self._name(each) for each in told]
        rows = self._rows(Resident.name_index, names, *_UNNUMBERED)
        # Of several the first is meant, which stands last here.
        return {(row.Resident.name_index, row.area): row for row in rows}

    def _behind_doors(self, told: Sequence[Told]) -> Mapping[tuple[bytes, bytes | None], Found]:
        names = [self._name(each.person) for each in told]
        there = (
            _FOUND.add_columns(Household.door_index)
            .join(Member, Member.resident == Resident.id)
            .join(Household, Household.id == Member.household)
            .where(Household.door_index.in_([each.door_index for each in told]))
            .where(Household.ends.is_(None), Member.ends.is_(None))
        )
        rows = self._rows(Resident.name_index, names, *_UNNUMBERED, found=there)
        return {(row.Resident.name_index, row.door_index): row for row in rows}

    def _rows(
        self,
        column: Any,
        values: Sequence[bytes],
        *more: ColumnElement[bool],
        found: Any = _FOUND,
    ) -> Sequence[Found]:
        if not values:
            return []
        found = found.where(column.in_(values), *more).order_by(Resident.id.desc())
        rows: Sequence[Any] = self._session.execute(found).all()
        return rows

    def _index(self, field: str, wanted: Wanted) -> bytes:
        return sealing.index(self._vault, field, wanted[field])

    def _name(self, wanted: Wanted) -> bytes:
        return self._index("name", wanted)


def _has_number(wanted: Wanted) -> bool:
    return any(wanted[field] for field in NUMBERS)
