"""What of a batch of residents can be done together, decided from a few queries for all of it.

Only what is certain is planned: people whom nobody can take for others, and rows that say what is
recorded already. Whatever else there is (amendments, moves, refusals, faults) is left to be taken
row by row, by the commands that know the rules.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.errors import Invalid
from chassis.gathering import Contended
from services.residents import audit, days, reach
from services.residents.commands import members, people
from services.residents.errors import ResidentExists
from services.residents.imports.known_people import Found, KnownPeople
from services.residents.imports.resident_cells import Told, Wanted
from services.residents.imports.rows import Plan
from services.residents.models import HEAD, Area, Household, Member
from services.residents.vault import Vault

_TO_ADD = frozenset({"residents.read", "residents.write"})
_TO_SETTLE = _TO_ADD | {"households.write"}


@dataclass(frozen=True)
class _Place:
    """As what somebody lives in which household, and since when."""

    door_index: bytes
    relation: str
    starts: date


class Planner:
    """Plans one batch, whose households it locks; `coming` are doors at which there will be one
    when the plan is carried out, told to `arrived`.
    """

    def __init__(
        self,
        session: Session,
        call: Call,
        vault: Vault,
        told: Sequence[Told],
        *,
        coming: Collection[bytes] = (),
    ) -> None:
        self._session, self._call, self._vault, self._told = session, call, vault, told
        self._homes = _homes(session, told)
        self._coming = coming
        self._areas = _areas(session, told)
        self._known = KnownPeople(session, vault, told)
        self._found = self._find_all()
        self._stays = _stays(session, self._homes, self._found.values())
        self._recorded = self._compare_all()
        # Rows are about one person where they share a mark. What is left to be taken later is
        # followed by whatever concerns the same person or household.
        self._met: set[Any] = set()
        self._left: set[bytes] = set()
        self._headed: set[bytes] = set()

    def plan(self) -> Plan:
        """Which rows can be taken together."""
        plan = Plan()
        for told in self._told:
            number, marks = told.key, self._marks(told)
            apart = self._met.isdisjoint(marks) and told.door_index not in self._left
            if apart and number in self._recorded:
                plan.unchanged.add(number)
            elif apart and (addition := self._addition(told)):
                plan.additions[number] = addition
            elif told.door_index is not None:
                self._left.add(told.door_index)
            self._met |= marks
        return plan

    def arrived(self, household: Household) -> None:
        """A household is there now that was coming."""
        self._homes[household.door_index] = household

    def _marks(self, told: Told) -> set[Any]:
        found = self._found.get(told.key)
        return self._known.marks(told) | ({found.id} if found else set())

    def _find_all(self) -> dict[int, Found | None]:
        """Whom each row is about; rows whose phone is another person's are missing."""
        found = {}
        for told in self._told:
            try:
                found[told.key] = self._known.find(told)
            except ResidentExists:
                continue
        return found

    def _compare_all(self) -> set[int]:
        """The rows that say what is recorded already. With whom they were compared is noted."""
        pairs = [
            (told, found)
            for told in self._told
            if (found := self._found.get(told.key)) and self._may(found.area, told)
        ]
        if not pairs:
            return set()
        key = audit.keys(
            self._session,
            self._call,
            self._vault,
            [found for _, found in pairs],
            fields={field for told, _ in pairs for field in told.given},
            found_by=["name", "phone", "id_number"],
        )
        return {told.key for told, found in pairs if self._is_recorded(told, found, key(found))}

    def _is_recorded(self, told: Told, found: Found, key: Any) -> bool:
        person = found.Resident
        if key is None or person.command_id is None:
            return False
        if people.differing(person, key, told.given):
            return False
        if told.door_index is None:
            return True
        return self._lives_there(told, person.id, told.door_index)

    def _lives_there(self, told: Told, person: UUID, door_index: bytes) -> bool:
        try:
            stay = told.stay()
        except ValidationError:
            return False
        theirs = [each for each in self._stays.get(door_index, ()) if each.resident == person]
        member = stay.meant(theirs)
        return member is not None and stay.is_recorded(member)

    def _addition(self, told: Told) -> Callable[[], None] | None:
        """What puts somebody new on the register; None for whoever is not, or may not be."""
        area = told.person["area"]
        if self._found.get(told.key, told) is not None or not self._may(area, told):
            return None
        if area is not None and area not in self._areas:
            return None
        if told.door_index is None:
            return partial(self._add, told.person, None)
        place = self._place(told, told.door_index)
        return None if place is None else partial(self._add, told.person, place)

    def _place(self, told: Told, door_index: bytes) -> _Place | None:
        """The place that somebody new has in a household; None if it cannot be."""
        if door_index not in self._homes and door_index not in self._coming:
            return None
        try:
            stay = told.stay()
            starts = days.told(stay.starts, self._call, "from")
        except (Invalid, ValidationError):
            return None
        if stay.relation == HEAD:
            if door_index in self._headed or self._has_head(door_index, starts):
                return None
            self._headed.add(door_index)
        return _Place(door_index, stay.relation or "other", starts)

    def _add(self, told: Wanted, place: _Place | None) -> None:
        person, _ = people.enter(self._session, self._call, self._vault, told)
        if person is None:
            raise Contended
        if place is not None:
            stay = members.Stay(person.id, place.relation, place.starts)
            household = self._homes[place.door_index]
            members.settle_newcomer(self._session, self._call, household, person, stay)

    def _has_head(self, door_index: bytes, starts: date) -> bool:
        return any(
            each.relation == HEAD and (each.ends is None or each.ends >= starts)
            for each in self._stays.get(door_index, ())
        )

    def _may(self, area: str | None, told: Told) -> bool:
        """Whether the caller may do all of it there. What they may do to themselves is left out."""
        wanted = _TO_ADD if told.door_index is None else _TO_SETTLE
        return wanted <= self._call.may(reach.of_resident(self._call, None, area))


def _homes(session: Session, told: Sequence[Told]) -> dict[bytes, Household]:
    """The open households behind the doors, by the index of the door, locked in one order."""
    doors = {each.door_index for each in told if each.door_index is not None}
    there = select(Household).where(Household.door_index.in_(doors), Household.ends.is_(None))
    locked = there.order_by(Household.id).with_for_update()
    return {each.door_index: each for each in session.scalars(locked)} if doors else {}


def _areas(session: Session, told: Sequence[Told]) -> dict[str, Area]:
    """The areas that are there, kept in hand: so the commands need not look for them again."""
    codes = {each.person["area"] for each in told if each.person["area"] is not None}
    there = select(Area).where(Area.code.in_(codes))
    return {each.code: each for each in session.scalars(there)} if codes else {}


def _stays(
    session: Session, homes: Mapping[bytes, Household], found: Collection[Found | None]
) -> Mapping[bytes, Sequence[Member]]:
    """By door, the stays of the people found, and of the household's heads."""
    doors = {household.id: door_index for door_index, household in homes.items()}
    stays: dict[bytes, list[Member]] = {door_index: [] for door_index in homes}
    theirs = or_(Member.resident.in_([each.id for each in found if each]), Member.relation == HEAD)
    wanted = select(Member).where(Member.household.in_(doors), theirs)
    for member in session.scalars(wanted) if doors else ():
        stays[doors[member.household]].append(member)
    return stays
