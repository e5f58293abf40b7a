"""What is read of households, and how it is found."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from chassis.call import Call
from services.residents import answers, audit, paging, queries, reach
from services.residents.models import Household
from services.residents.reach import Subject
from services.residents.vault import Vault

_CRITERIA = frozenset({"within", "tenure", "recorded", "closed"})


def household(session: Session, call: Call, vault: Vault, household_id: UUID) -> dict[str, Any]:
    """One household; raises NotFound, also for what the caller may not see."""
    found = queries.get(session, Household, household_id)
    about = Subject("household", found.id, found.area)
    reach.demand(call, reach.of_household(found.area), "households.read", about)
    return answered(session, call, vault, found)


def answered(session: Session, call: Call, vault: Vault, row: Household) -> dict[str, Any]:
    """The answer that shows a household as it stands, noted as a read."""
    key = audit.household_key(
        session, call, vault, row, action=audit.READ, fields=answers.OF_HOUSEHOLD
    )
    return answers.household(row, key)


def households(
    session: Session, call: Call, vault: Vault, wanted: queries.Wanted
) -> dict[str, Any]:
    """A page of households, by place: open ones, unless `closed` asks for the others. Raises
    Forbidden.
    """
    reach.demand_to_list(call, "households.read", "household")
    scope = reach.scope(call, "households.read")
    statement = select(*Household.__table__.c).where(
        Household.ends.is_not(None) if wanted["closed"] else Household.ends.is_(None),
        queries.in_scope(Household.tree_key, scope),
        *queries.within(Household.tree_key, wanted),
        *queries.equal(Household, wanted, "tenure"),
        *_recorded(wanted),
    )
    order: queries.Order = {
        "tree_key": (Household.tree_key, paging.text),
        "id": (Household.id, UUID),
    }
    page = queries.paged(session, statement, order, wanted, lambda row: row)
    criteria = {name for name in _CRITERIA if wanted.get(name) is not None}
    key = audit.household_keys(
        session, call, vault, page["items"], fields=answers.OF_HOUSEHOLD, found_by=criteria
    )
    return {**page, "items": [answers.household(row, key(row)) for row in page["items"]]}


def _recorded(wanted: queries.Wanted) -> list[ColumnElement[bool]]:
    if "recorded" not in wanted:
        return []
    recorded = Household.recorded_at
    return [recorded.is_not(None) if wanted["recorded"] else recorded.is_(None)]
