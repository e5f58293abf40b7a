"""A sign-in that meets the withdrawal of its phone leaves no session behind."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from chassis.events import CloudEvent
from chassis.ids import new_id
from chassis.testing import eventually
from services.gateway import erasure, sessions
from services.gateway.models import SignedIn
from services.gateway.sessions import CODE, PASSWORD, SignIn
from tests.integration.gateway.town import BUILDING

PHONES = (f"135{number:08d}" for number in itertools.count(40_000_001))
NOON = datetime(2026, 11, 10, 4, 0, tzinfo=UTC)
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'sessions'::regclass AND NOT granted"


def of(session, person):
    return session.scalars(select(SignedIn).where(SignedIn.person == person)).all()


@pytest.mark.parametrize(
    ("method", "seconds", "stays"),
    [(CODE, -60, False), (CODE, 2, False), (CODE, 60, True), (PASSWORD, 0, True)],
)
def test_sessions_by_phone_end_that_were_opened_before_or_meanwhile(
    session, method, seconds, stays
):
    person, opened = uuid4(), NOON + timedelta(seconds=seconds)
    sessions.open_session(session, SignIn(person, method, timedelta(1)), new_id(), opened)
    session.flush()

    erasure.end_by_phone(
        session,
        CloudEvent(
            id=str(new_id()),
            type="linli.residents.resident_phone_withdrawn.v1",
            source="/residents",
            subject=str(person),
            time=NOON,
            sequence=2,
            partitionkey=str(person),
            traceparent="",
            data={"resident": str(person)},
        ),
    )

    assert bool(of(session, person)) is stays


def test_a_number_withdrawn_while_its_session_is_being_opened_opens_none(town, engine):
    phone = next(PHONES)
    told = {"name": "吴强", "phone": phone, "area": BUILDING}
    person = town.clerk.make("residents", told)["id"]
    assert town.nobody.post("sessions/codes", {"phone": phone}).status_code == 202
    body = {"phone": phone, "code": town.code(phone)}

    with ThreadPoolExecutor() as pool, engine.connect() as holding, engine.connect() as looking:
        # The registry has let them in; the session cannot be stored yet.
        holding.execute(text("LOCK TABLE sessions IN SHARE MODE"))
        signing_in = pool.submit(town.nobody.post, "sessions", body)
        eventually(lambda: looking.scalar(text(WAITING)))
        assert town.clerk.patch(f"residents/{person}", {"phone": next(PHONES)}).ok
        holding.rollback()
        answer = signing_in.result()

        # 503 where this machine was too slow to look again in time.
        assert answer.status_code in (403, 503), answer.text
        assert of(looking, person) == []
