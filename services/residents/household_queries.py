"""What is read of households and of the people in them, and how it is found."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from chassis import clock
from chassis.call import Call
from chassis.errors import NotFound
from services.residents import answers, audit, paging, queries, reach
from services.residents.models import HEAD, Duty, Household, Member, Resident, ResidentKey
from services.residents.queries import Order, Wanted
from services.residents.reach import Subject
from services.residents.vault import DataKey, Vault

# A stay, with what of its person is needed to show their name.
_STAY: list[Any] = [
    Member, Member.id.label("member"), Member.starts, Resident.id, Resident.area, Resident.name,
    ResidentKey.key_id, ResidentKey.wrapped,
]  # fmt: skip
# Lists of stays are in the order in which they began.
_SINCE = (Member.starts, date.fromisoformat)
_CRITERIA = frozenset({"within", "tenure", "recorded", "closed", "anchor"})


def household(session: Session, call: Call, vault: Vault, household_id: UUID) -> dict[str, Any]:
    """One household; raises NotFound, also for what the caller may not see."""
    return answered(session, call, vault, found(session, call, household_id, "households.read"))


def found(
    session: Session, call: Call, household_id: UUID, operation: str, *, lock: bool = False
) -> Household:
    """The household, for which `operation` is allowed. Raises NotFound, Forbidden, with which the
    audit is told where it is, also when it is behind the wall.
    """
    row = session.get(Household, household_id, with_for_update=lock or None)
    area = row.area if row else queries.place_unseen(session, "household", household_id)
    holds = reach.of_household(str(area), own=lives_in(session, call, household_id))
    reach.demand(call, holds, operation, Subject("household", household_id, area))
    if row is None:
        raise NotFound
    return row


def answered(session: Session, call: Call, vault: Vault, row: Household) -> dict[str, Any]:
    """The answer that shows a household as it stands, noted as a read."""
    key = audit.household_key(
        session, call, vault, row, action=audit.READ, fields=answers.OF_HOUSEHOLD
    )
    return shown(session, row, key)


def shown(session: Session, row: Household, key: DataKey) -> dict[str, Any]:
    """The answer that shows a household as it stands, to who has its key."""
    facts = session.execute(select(_head(row.id), _is_anchor(row.id))).one()
    return answers.household(row, key, head=facts[0], anchor=facts[1])


def households(session: Session, call: Call, vault: Vault, wanted: Wanted) -> dict[str, Any]:
    """A page of households, by place: open ones, unless `closed` asks for the others. Raises
    Forbidden.
    """
    reach.demand_to_list(call, "households.read", "household")
    scope = reach.scope(call, "households.read")
    homes = select(Member.household).where(Member.resident == scope.person, Member.ends.is_(None))
    own = [Household.id.in_(homes)] if scope.person else []
    statement = select(
        *Household.__table__.c,
        _head(Household.id).label("head"),
        _is_anchor(Household.id).label("anchor"),
    ).where(queries.in_scope(Household.tree_key, scope, *own), *_wanted(wanted))
    order: Order = {"tree_key": (Household.tree_key, paging.text), "id": (Household.id, UUID)}
    page = queries.paged(session, statement, order, wanted, lambda row: row)
    criteria = {name for name in _CRITERIA if wanted.get(name) is not None}
    key = audit.household_keys(
        session, call, vault, page["items"], fields=answers.OF_HOUSEHOLD, found_by=criteria
    )
    return {
        **page,
        "items": [
            answers.household(row, key(row), head=row.head, anchor=row.anchor)
            for row in page["items"]
        ],
    }


def members(session: Session, call: Call, vault: Vault, wanted: Wanted) -> dict[str, Any]:
    """A page of the stays in a household, in the order in which they began; to who merely lives
    there, of those who lived there with them. Raises NotFound.
    """
    seen = found(session, call, wanted["household"], "households.read")
    statement = (
        select(*_STAY)
        .join(Resident, Resident.id == Member.resident)
        .outerjoin(ResidentKey, ResidentKey.resident == Resident.id)
        .where(Member.household == seen.id, *_during(wanted), *_together(call, seen))
    )
    order: Order = {"starts": _SINCE, "member": (Member.id, UUID)}
    page = queries.paged(session, statement, order, wanted, lambda row: row)
    key = audit.keys(
        session, call, vault, page["items"], fields=answers.OF_MEMBER, found_by=["household"]
    )
    return {**page, "items": [answers.listed_member(row, key(row)) for row in page["items"]]}


def homes(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """A page of a person's stays, in the order in which they began; raises NotFound."""
    person = queries.person(session, call, wanted["id"], "residents.read")
    about = Subject("resident", person.id, person.area)
    audit.note(session, call, audit.READ, about, fields=["household"])
    statement = select(*Member.__table__.c).where(Member.resident == person.id, *_during(wanted))
    order: Order = {"starts": _SINCE, "id": (Member.id, UUID)}
    return queries.paged(session, statement, order, wanted, answers.member)


def people_in(session: Session, household_id: UUID) -> bool:
    """Whether anybody lives in a household."""
    stay = select(Member.id).where(Member.household == household_id, Member.ends.is_(None))
    return session.scalar(stay.limit(1)) is not None


def lives_in(session: Session, call: Call, household_id: UUID) -> bool:
    """Whether the caller lives in a household."""
    person = reach.person(call)
    stay = select(Member.id).where(
        Member.household == household_id, Member.resident == person, Member.ends.is_(None)
    )
    return person is not None and session.scalar(stay) is not None


def _head(household: Any) -> Any:
    """Who heads a household today."""
    head = select(Member.resident).where(
        Member.household == household, Member.relation == HEAD, Member.ends.is_(None)
    )
    return head.scalar_subquery()


def _is_anchor(household: Any) -> ColumnElement[bool]:
    """Whether somebody lives there who has the duty of an anchor household today."""
    duty = (
        select(Duty.id)
        .join(Member, Member.resident == Duty.person)
        .where(
            Member.household == household,
            Member.ends.is_(None),
            Duty.role == "anchor_household",
            queries.in_force(clock.local(clock.now()).date()),
        )
    )
    return duty.exists()


def _during(wanted: Wanted) -> list[ColumnElement[bool]]:
    if "on" in wanted:
        # The expression of the constraints, whose index finds a day among all the past.
        return [func.daterange(Member.starts, Member.ends, "[]").op("@>")(wanted["on"])]
    return [Member.ends.is_not(None) if wanted["past"] else Member.ends.is_(None)]


def _together(call: Call, household: Household) -> list[ColumnElement[bool]]:
    """For whoever sees a household because they live there: that the stay shares days with one of
    theirs. The last day of one is not shared with who moves in that day.
    """
    elsewise = call.may(reach.of_household(household.area))
    if call.actor.kind == "system" or "households.read" in elsewise:
        return []
    mine = aliased(Member)
    shared = select(mine.id).where(
        mine.household == household.id,
        mine.resident == reach.person(call),
        func.daterange(mine.starts, mine.ends).op("&&")(func.daterange(Member.starts, Member.ends)),
    )
    return [or_(Member.resident == reach.person(call), shared.exists())]


def _wanted(wanted: Wanted) -> list[ColumnElement[bool]]:
    return [
        Household.ends.is_not(None) if wanted["closed"] else Household.ends.is_(None),
        *queries.within(Household.tree_key, wanted),
        *queries.equal(Household, wanted, "tenure"),
        *_recorded(wanted),
        *([_is_anchor(Household.id) == wanted["anchor"]] if "anchor" in wanted else []),
    ]


def _recorded(wanted: Wanted) -> list[ColumnElement[bool]]:
    if "recorded" not in wanted:
        return []
    recorded = Household.recorded_at
    return [recorded.is_not(None) if wanted["recorded"] else recorded.is_(None)]
