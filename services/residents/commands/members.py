"""People move into households and out of them. That nobody lives in two at a time, and that a
household has one head, is for the database to see to: see the migration of `household_members`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis import gathering
from chassis.call import Call
from chassis.errors import Conflict, NotFound
from chassis.events import EventSchema, Route, emit
from chassis.ids import new_id
from services.residents import answers, area_codes, audit, days, reach
from services.residents.commands import household_rows, rows
from services.residents.errors import AlreadyMember, HeadExists, ResidenceOverlaps, invalid
from services.residents.events import ResidentAmended, ResidentMovedIn, ResidentMovedOut
from services.residents.models import HEAD, Household, Member, Resident
from services.residents.reach import Subject

# What each constraint of the table stands for.
_REFUSALS: Mapping[str, type[Conflict]] = {
    "household_members_once": AlreadyMember,
    "household_members_one_head": HeadExists,
    "household_members_one_residence": ResidenceOverlaps,
}


@dataclass(frozen=True)
class Stay:
    """Somebody's stay in a household: as what, whether as their registered residence, on which
    days (both included).
    """

    resident: UUID
    relation: str
    starts: date
    ends: date | None = None
    registered: bool = True
    moving: bool = False


def move_in(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Record that somebody lives in a household, or did; with `moving`, they leave their registered
    residence on the day before. Raises NotFound, Forbidden, Invalid, HouseholdIsClosed,
    AlreadyMember, HeadExists, ResidenceOverlaps.
    """
    household = household_rows.found(session, call, wanted["household"])
    made = rows.made_by(session, Member, call)
    if made is not None:
        return answers.member(made)
    household_rows.check_open(household)
    stay = Stay(
        wanted["resident"],
        wanted["relation"],
        days.told(wanted["starts"], call, "from"),
        wanted["ends"] and days.told(wanted["ends"], call, "to"),
        wanted["registered"],
        wanted["moving"],
    )
    return answers.member(settle(session, call, household, stay))


def move_out(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Set the last day of somebody's stay, or correct it. Raises NotFound, Forbidden, Invalid,
    AlreadyMember, HeadExists, ResidenceOverlaps.
    """
    household = household_rows.found(session, call, wanted["household"])
    member = _member(session, household, wanted["id"])
    _leave(session, call, household, member, days.told(wanted["ends"], call, "to"))
    return answers.member(member)


def amend(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Correct what somebody is in a household. Raises NotFound, Forbidden, HouseholdIsClosed,
    HeadExists.
    """
    household = household_rows.open_one(session, call, wanted["household"])
    member = _member(session, household, wanted["id"])
    if member.relation != wanted["relation"]:
        with _refusing(session):
            member.relation = wanted["relation"]
        _note(session, call, household, member.resident, "relation")
        household_rows.amended(session, call, household)
    return answers.member(member)


def settle(
    session: Session, call: Call, household: Household, stay: Stay, field: str = "resident"
) -> Member:
    """Add a stay to a household, whose row is locked; `field` is that of the command which names
    the person. Raises Invalid, AlreadyMember, HeadExists, ResidenceOverlaps.
    """
    person = _known(session, call, stay.resident, field)
    if stay.ends is not None:
        days.check_order(stay.starts, stay.ends)
    if stay.moving:
        _leave_residence(session, call, person, stay.starts - timedelta(days=1))
    member = _new(call, household, stay)
    with _refusing(session):
        session.add(member)
    _settled(session, call, household, person, member)
    return member


def settle_newcomer(
    session: Session, call: Call, household: Household, person: Resident, stay: Stay
) -> None:
    """As `settle`, for somebody whom this very transaction puts on the register: they live nowhere
    yet, and nobody else can know of them. Raises what the constraints of the table do.
    """
    member = _new(call, household, stay)
    gathering.insert(session, Member, member)
    _settled(session, call, household, person, member)


def leave_all(session: Session, call: Call, person: Resident, ends: date) -> None:
    """End every stay of somebody, who is locked, with this last day, or with its first if that is
    later; the households are not told apart from others by it.
    """
    stays = (
        select(Member, Household)
        .join(Household, Household.id == Member.household)
        .where(Member.resident == person.id, Member.ends.is_(None))
    )
    for member, household in session.execute(stays.order_by(Member.id)):
        member.ends = max(member.starts, ends)
        _emit(session, call, ResidentMovedOut, person, _stay(household, member))


def make_head(session: Session, household: Household, resident: UUID) -> bool:
    """Make a member the head of their household, whose former head is another member from now on;
    False if they are. Raises Invalid for somebody who does not live there.
    """
    present = select(Member).where(Member.household == household.id, Member.ends.is_(None))
    members = session.scalars(present.order_by(Member.id)).all()
    head = next((member for member in members if member.resident == resident), None)
    if head is None:
        raise invalid("head", "not_a_member", "The head must live in the household.")
    if head.relation == HEAD:
        return False
    for member in members:
        if member.relation == HEAD:
            member.relation = "other"
    session.flush()  # One head goes before the other comes.
    head.relation = HEAD
    session.flush()
    return True


def follow(session: Session, call: Call, household: Household) -> None:
    """Let those who are registered in a household be where it is now."""
    people = (
        select(Resident)
        .join(Member, Member.resident == Resident.id)
        .where(Member.household == household.id, Member.ends.is_(None), Member.registered)
    )
    for person in session.scalars(people.order_by(Resident.id).with_for_update(of=Resident)):
        _place(person, household)
        _emit(session, call, ResidentAmended, person, {"resident": person.id})


def _known(session: Session, call: Call, resident: UUID, field: str) -> Resident:
    """The person, locked; Invalid also for one whom the caller may not see: by moving them they
    would get to.
    """
    person = session.get(Resident, resident, with_for_update=True)
    if person is None or person.erased_at is not None or not _sees(call, person):
        raise invalid(field, "unknown_person", "There is no such person.")
    return person


def _sees(call: Call, person: Resident) -> bool:
    holds = reach.of_resident(call, person.id, person.area)
    return call.actor.kind == "system" or "residents.read" in call.may(holds)


def _new(call: Call, household: Household, stay: Stay) -> Member:
    return Member(
        id=new_id(),
        household=household.id,
        resident=stay.resident,
        relation=stay.relation,
        registered=stay.registered,
        starts=stay.starts,
        ends=stay.ends,
        sequence=1,
        command_id=call.command_id,
    )


def _settled(
    session: Session, call: Call, household: Household, person: Resident, member: Member
) -> None:
    _note(session, call, household, person.id, "household")
    _emit(session, call, ResidentMovedIn, person, _stay(household, member))
    _record(session, call, household, member, person)


def _member(session: Session, household: Household, member_id: UUID) -> Member:
    member = session.get(Member, member_id)
    if member is None or member.household != household.id:
        raise NotFound
    return member


def _leave_residence(session: Session, call: Call, person: Resident, ends: date) -> None:
    """End the stay where the person is registered, if there is one."""
    residence = select(Member).where(
        Member.resident == person.id, Member.registered, Member.ends.is_(None)
    )
    member = session.scalars(residence).one_or_none()
    if member is None:
        return
    household = household_rows.allowed(session, call, member.household)
    _leave(session, call, household, member, ends)


def _leave(session: Session, call: Call, household: Household, member: Member, ends: date) -> None:
    person = session.get_one(Resident, member.resident, with_for_update=True)
    session.refresh(member)
    if member.ends == ends:
        return
    days.check_order(member.starts, ends)
    with _refusing(session):
        member.ends = ends
    _note(session, call, household, member.resident, "household")
    _emit(session, call, ResidentMovedOut, person, _stay(household, member))


def _record(
    session: Session, call: Call, household: Household, member: Member, person: Resident
) -> None:
    """Where somebody is, people have been recorded; who is registered there is found there."""
    if member.ends is None and member.registered:
        _place(person, household)
    if household.recorded_at is None:
        household.recorded_at = call.occurred_at
        household_rows.amended(session, call, household)


def _place(person: Resident, household: Household) -> None:
    person.area, person.tree_key = household.area, household.tree_key


@contextmanager
def _refusing(session: Session) -> Iterator[None]:
    """Write what is done inside, and raise what a constraint that is broken by it stands for."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        constraint = error.orig.diag.constraint_name  # type: ignore[union-attr]
        if constraint not in _REFUSALS:
            raise
        raise _REFUSALS[constraint] from None


def _note(session: Session, call: Call, household: Household, resident: UUID, field: str) -> None:
    about = Subject("household", household.id, household.area)
    audit.note(session, call, audit.CHANGE, about, people=[resident], fields=[field])


def _stay(household: Household, member: Member) -> dict[str, Any]:
    """What events tell of a stay."""
    return {
        "resident": member.resident,
        "household": household.id,
        "area": household.area,
        "registered": member.registered,
        "starts": member.starts,
        "ends": member.ends,
    }


def _emit(
    session: Session,
    call: Call,
    schema: type[EventSchema],
    person: Resident,
    data: Mapping[str, Any],
) -> None:
    place = data.get("area", person.area)
    person.sequence += 1
    emit(
        session,
        call,
        schema,
        subject=str(person.id),
        sequence=person.sequence,
        route=Route(place=area_codes.routing(place) if place else "none"),
        data=data,
    )
