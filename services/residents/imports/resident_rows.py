"""Rows of residents: who is not known is registered, what is said of who is known is amended, and
who is said to live behind a door moves in there.

A person is known by their ID number, or else by their phone. Somebody with neither is known by
their name in their area.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis.call import Call
from services.residents import audit, household_schemas, identifiers, schemas, sealing
from services.residents.commands import household_rows, members, people
from services.residents.errors import ResidentExists, invalid
from services.residents.imports.columns import Column, Fault, Row
from services.residents.imports.rows import ADDED, CHANGED, UNCHANGED
from services.residents.models import Household, Member, Resident
from services.residents.reach import Subject
from services.residents.vault import Vault

COLUMNS = (
    Column("name", ("姓名",), required=True),
    Column("phone", ("手机号", "手机号码", "电话", "联系电话")),
    Column("id_number", ("身份证号", "身份证号码", "公民身份号码")),
    Column("area", ("区域代码", "楼栋代码", "单元代码", "网格代码")),
    Column("address", ("地址", "住址"), free=True),
    Column("door", ("门牌号", "房号", "户址")),
    Column("relation", ("与户主关系", "关系")),
    Column("from", ("入住日期", "起始日期")),
)
RELATIONS: Mapping[str, str] = {
    "户主": "head",
    "配偶": "spouse",
    "子女": "child",
    "父母": "parent",
    "孙子女": "grandchild",
    "祖父母": "grandparent",
    "兄弟姐妹": "sibling",
    "其他亲属": "relative",
    "租客": "tenant",
    "其他": "other",
}
_NUMBERS = ("id_number", "phone")
_STAY = ("door", "relation", "from")

Wanted = Mapping[str, Any]


class ResidentRows:
    """Takes one file's rows of residents."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._met: Subject | None = None

    def keys(self, row: Row) -> Mapping[str, str]:
        """By both numbers, or else by the name in its area."""
        numbers = {name: row.cells[name] for name in _NUMBERS if name in row.cells}
        words = (row.cells.get(name, "") for name in ("name", "area"))
        return numbers or {"name": "\n".join(map(identifiers.name, words))}

    def take(self, session: Session, call: Call, row: Row) -> str:
        """Register or amend one person, and let them move in. Raises ResidentExists where the
        numbers are two people's, or a phone is that of another person than the row's.
        """
        self._met = None
        # No id of a command: what is made of a number would stay when the person is erased.
        call = replace(call, command_id=None)
        told = {name: cell for name, cell in row.cells.items() if name not in _STAY}
        wanted = schemas.RegisterResident().load(told)
        # Households are locked before people.
        household = self._household(session, call, row)
        person, outcome = self._person(session, call, wanted)
        if household is None:
            return outcome
        moved = _move_in(session, call, household, person, row)
        return CHANGED if moved and outcome == UNCHANGED else outcome

    def forgive(self, _row: Row, _fault: Fault) -> bool:
        """Nothing: no person depends on the row of another."""
        return False

    def tried(self, session: Session, call: Call, row: Row) -> None:
        """What a dry run compared a row with was read."""
        if self._met is not None:
            audit.note(session, call, audit.READ, self._met, fields=row.cells.keys())

    def _person(self, session: Session, call: Call, wanted: Wanted) -> tuple[UUID, str]:
        known = self._known(session, wanted)
        if known is None or known.command_id is None:
            made = people.register(session, call, self._vault, wanted)
            return UUID(made["id"]), ADDED
        self._met = Subject("resident", known.id, known.area)
        before = known.sequence
        people.amend(session, call, self._vault, {**_given(wanted), "id": known.id})
        return known.id, UNCHANGED if known.sequence == before else CHANGED

    def _known(self, session: Session, wanted: Wanted) -> Resident | None:
        by_number = self._by(session, wanted, "id_number")
        if by_number is not None:
            return by_number
        by_phone = self._by(session, wanted, "phone")
        if by_phone is None:
            return self._by_words(session, wanted)
        if by_phone.command_id is not None and not self._may_be(by_phone, wanted):
            raise ResidentExists
        return by_phone

    def _by(self, session: Session, wanted: Wanted, field: str) -> Resident | None:
        if wanted[field] is None:
            return None
        column = getattr(Resident, f"{field}_index")
        same = column == sealing.index(self._vault, field, wanted[field])
        return session.scalars(select(Resident).where(same)).one_or_none()

    def _by_words(self, session: Session, wanted: Wanted) -> Resident | None:
        if any(wanted[name] is not None for name in _NUMBERS):
            return None
        same = select(Resident).where(
            Resident.name_index == sealing.index(self._vault, "name", wanted["name"]),
            Resident.area.is_not_distinct_from(wanted["area"]),
            Resident.phone_index.is_(None),
            Resident.id_number_index.is_(None),
        )
        return session.scalars(same.order_by(Resident.id).limit(1)).one_or_none()

    def _may_be(self, known: Resident, wanted: Wanted) -> bool:
        """Families share phones: whoever is called otherwise, or has another ID number, is another
        person.
        """
        if known.id_number_index is not None and wanted["id_number"] is not None:
            return False
        return known.name_index in (None, sealing.index(self._vault, "name", wanted["name"]))

    def _household(self, session: Session, call: Call, row: Row) -> Household | None:
        """The open household behind the row's door, locked; None where no door is given."""
        if not any(name in row.cells for name in _STAY):
            return None
        for name in ("area", "door"):
            if name not in row.cells:
                raise invalid(name, "required", "Missing data for required field.")
        place = household_schemas.RegisterHousehold(only=("area", "door")).load(
            {name: row.cells[name] for name in ("area", "door")}
        )
        index = sealing.door_index(self._vault, place["area"], place["door"])
        same = Household.door_index == index, Household.ends.is_(None)
        found = session.scalar(select(Household.id).where(*same))
        if found is None:
            raise invalid("door", "unknown_household", "No household is registered at this door.")
        return household_rows.found(session, call, found)


def _given(wanted: Wanted) -> dict[str, Any]:
    """What is left empty stays as it is."""
    return {field: value for field, value in wanted.items() if value is not None}


def _move_in(session: Session, call: Call, household: Household, person: UUID, row: Row) -> bool:
    """Let a person live in a household from now on, unless they do, or did from the same day."""
    relation = RELATIONS.get(row.cells.get("relation", ""), row.cells.get("relation", "other"))
    wanted = household_schemas.MoveIn().load(
        {
            "household": str(household.id),
            "resident": str(person),
            "relation": relation,
            "moving": True,
            **({"from": row.cells["from"]} if "from" in row.cells else {}),
        }
    )
    stay = select(Member).where(
        Member.household == household.id,
        Member.resident == person,
        or_(Member.ends.is_(None), Member.starts == wanted["starts"]),
    )
    member = session.scalars(stay.order_by(Member.ends.desc().nulls_first()).limit(1)).first()
    if member is None:
        members.move_in(session, call, wanted)
        return True
    if member.ends is not None or "relation" not in row.cells or member.relation == relation:
        return False
    members.amend(session, call, {"household": household.id, "id": member.id, "relation": relation})
    return True
