"""Rows of residents: who is not known is registered, what is said of who is known is amended, and
who is said to live behind a door moves in there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import walls
from chassis.call import Call
from chassis.errors import Invalid
from services.residents import audit, identifiers
from services.residents.commands import household_rows, members, people
from services.residents.errors import invalid
from services.residents.imports import resident_cells
from services.residents.imports.columns import Fault, Row
from services.residents.imports.known_people import NUMBERS, KnownPeople
from services.residents.imports.resident_cells import Told
from services.residents.imports.resident_plan import Planner
from services.residents.imports.rows import ADDED, CHANGED, UNCHANGED, Plan
from services.residents.models import Household, Member
from services.residents.reach import Subject
from services.residents.vault import Vault


class ResidentRows:
    """Takes one file's rows of residents."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._met: Subject | None = None

    def keys(self, row: Row) -> Mapping[str, str]:
        """By both numbers, or else by the name in its area."""
        numbers = {name: row.cells[name] for name in NUMBERS if name in row.cells}
        words = (row.cells.get(name, "") for name in ("name", "area"))
        return numbers or {"name": "\n".join(map(identifiers.name, words))}

    def plan(self, session: Session, call: Call, rows: Sequence[Row]) -> Plan:
        """The people who are new, and those of whom nothing else is said than what is recorded."""
        told = []
        for row in rows:
            try:
                told.append(resident_cells.read(self._vault, row))
            except (Invalid, ValidationError):
                continue  # Taken alone, it says what is wrong.
        return Planner(session, _unnamed(call), self._vault, told).plan()

    def take(self, session: Session, call: Call, row: Row) -> str:
        """Register or amend one person, and let them move in. Raises ResidentExists where the
        numbers are two people's, or a phone is that of another person than the row's.
        """
        return self.take_told(session, call, resident_cells.read(self._vault, row))

    def take_told(self, session: Session, call: Call, told: Told) -> str:
        """The same, of a row that has been read."""
        self._met = None
        call = _unnamed(call)
        # Households are locked before people.
        household = _household(session, call, told)
        person, outcome = self._person(session, call, told)
        if household is None:
            return outcome
        moved = _move_in(session, call, household, person, told)
        return CHANGED if moved and outcome == UNCHANGED else outcome

    def forgive(self, _row: Row, _fault: Fault) -> bool:
        """Nothing: no person depends on the row of another."""
        return False

    def tried(self, session: Session, call: Call, row: Row) -> None:
        """What a dry run compared a row with was read."""
        if self._met is not None:
            audit.note(session, call, audit.READ, self._met, fields=row.cells.keys())

    def _person(self, session: Session, call: Call, told: Told) -> tuple[UUID, str]:
        with walls.opened(session):  # A number is one person's, wherever they are.
            found = KnownPeople(session, self._vault, [told]).find(told)
        if found is None or found.Resident.command_id is None:
            made = people.register(session, call, self._vault, told.person)
            return UUID(made["id"]), ADDED
        known = found.Resident
        self._met = Subject("resident", known.id, known.area)
        before = known.sequence
        people.amend(session, call, self._vault, {**told.given, "id": known.id})
        return known.id, UNCHANGED if known.sequence == before else CHANGED


def _unnamed(call: Call) -> Call:
    """No id of a command: what is made of a number would stay when the person is erased."""
    return replace(call, command_id=None)


def _household(session: Session, call: Call, told: Told) -> Household | None:
    """The open household behind the row's door, locked; None where no door is given."""
    if told.door_index is None:
        return None
    same = Household.door_index == told.door_index, Household.ends.is_(None)
    with walls.opened(session):  # Whether it may be written to is for the command to say.
        found = session.scalar(select(Household.id).where(*same))
    if found is None:
        raise invalid("door", "unknown_household", "No household is registered at this door.")
    return household_rows.found(session, call, found)


def _move_in(session: Session, call: Call, household: Household, person: UUID, told: Told) -> bool:
    """Let a person live in a household from now on, unless they do, or did from the same day."""
    stay = told.stay()
    theirs = select(Member).where(Member.household == household.id, Member.resident == person)
    member = stay.meant(session.scalars(theirs))
    if member is None:
        members.move_in(
            session,
            call,
            {
                "household": household.id,
                "resident": person,
                "relation": stay.relation or "other",
                "registered": True,
                "starts": stay.starts,
                "ends": None,
                "moving": True,
            },
        )
        return True
    if stay.is_recorded(member):
        return False
    wanted = {"household": household.id, "id": member.id, "relation": stay.relation}
    members.amend(session, call, wanted)
    return True
