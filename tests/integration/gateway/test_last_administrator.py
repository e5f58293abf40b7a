"""Somebody can always administer."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from chassis.ids import new_id
from services.gateway.accounts import (
    LastAdministrator,
    NewAccount,
    check_not_last,
    create_account,
)
from services.gateway.models import Account, Duty

NOON = datetime(2026, 11, 10, 4, 0, tzinfo=UTC)
FIRST, LATER, NOW, PAST = date(2026, 1, 1), date(2026, 12, 1), date(2026, 11, 10), date(2026, 11, 9)


def login(session, person, *, administrator=False):
    new = NewAccount(f"{person}.login", person, "x", administrator)
    return create_account(session, new, new_id(), NOON)


@pytest.fixture
def last(session):
    """The only administrator, beside others who have a login."""
    session.execute(delete(Account))
    person = uuid4()
    login(session, person, administrator=True)
    login(session, uuid4())
    return person


def on_duty(session, person, starts, ends):
    duty = {"area": None, "department": None, "starts": starts, "ends": ends, "sequence": 1}
    session.add(Duty(duty=new_id(), person=person, role="administrator", **duty))
    session.flush()


def test_the_last_administrator_is_told_from_others(session, last):
    with pytest.raises(LastAdministrator):
        check_not_last(session, last, NOON)
    check_not_last(session, uuid4(), NOON)


def test_with_a_second_account_either_may_go(session, last):
    second = uuid4()
    login(session, second, administrator=True)

    check_not_last(session, last, NOON)
    check_not_last(session, second, NOON)


@pytest.mark.parametrize(
    ("days", "has_login", "free"),
    [
        ((FIRST, None), True, True),
        ((FIRST, NOW), True, True),
        ((FIRST, None), False, False),
        ((FIRST, PAST), True, False),
        ((LATER, None), True, False),
    ],
)
def test_somebody_with_the_duty_today_and_a_login_is_another(session, last, days, has_login, free):
    second = uuid4()
    if has_login:
        login(session, second)
    on_duty(session, second, *days)

    if free:
        check_not_last(session, last, NOON)
    else:
        with pytest.raises(LastAdministrator):
            check_not_last(session, last, NOON)


def test_the_last_administrator_is_not_erased(town, engine):
    person = UUID(town.administrator.make("residents", {"name": "郑一"})["id"])
    # It acts as its owner, whatever they are by then.
    second = town.key({"person": str(person)}, "residents:read", "residents:erase")
    first = Account.person == UUID(town.ids["administrator"])
    with Session(engine) as session, session.begin():
        login(session, person, administrator=True)
        session.execute(update(Account).where(first).values(administrator=False))
    try:
        refused = second.post(f"residents/{person}/erasure", {"reason": "x"})
        hidden = town.resident.post(f"residents/{person}/erasure", {"reason": "x"})
    finally:
        with Session(engine) as session, session.begin():
            session.execute(update(Account).where(first).values(administrator=True))

    assert refused.status_code == 409, refused.text
    assert refused.json()["type"] == "/problems/last_administrator"
    assert hidden.status_code == 404, "nobody learns by it who administers"
    assert town.clerk.post(f"residents/{person}/erasure", {"reason": "x"}).status_code in (403, 404)
    assert town.administrator.post(f"residents/{person}/erasure", {"reason": "x"}).ok
