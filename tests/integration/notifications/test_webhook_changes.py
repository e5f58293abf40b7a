"""Endpoints that move, are let go or deleted while something is on its way, on a real database."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.clock import now
from chassis.errors import Gone
from services.notifications.models import Department, Notification
from services.notifications.webhooks import clerks, endpoints, notices
from services.notifications.webhooks.models import Endpoint
from services.notifications.webhooks.outcome import Reason
from tests.integration.notifications.webhook_world import (
    LONG_AGO,
    URL,
    World,
    administrator,
    department,
    duty,
)

ELSEWHERE = "https://elsewhere.example.org/linli"
ROBOT = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key="


def suffering() -> dict[str, Any]:
    """A row that has failed for long, and was asked for patience."""
    far = now() + timedelta(hours=9)
    since = now() - LONG_AGO
    return {"failures": 9, "failing_since": since, "probe_at": far, "ready_at": far}


def held_against(endpoint: Any) -> tuple[Any, ...]:
    row = endpoint.row
    return row.failures, row.failing_since, row.probe_at, row.ready_at > now()


NOTHING = (0, None, None, False)


@pytest.mark.parametrize(
    ("made", "moved"),
    [
        ({"url": URL}, {"url": ELSEWHERE}),
        ({"url": ROBOT + "a", "format": "wecom"}, {"url": ROBOT + "b"}),
    ],
    ids=["standard", "robot"],
)
def test_what_the_old_address_did_is_not_held_against_the_new_one(world, made, moved):
    endpoint = world.endpoint(**made)
    endpoint.change(allowed_rate=3, **suffering())

    world.change(endpoint, description="the same")
    assert held_against(endpoint) != NOTHING
    world.change(endpoint, **moved, rate=10)

    assert held_against(endpoint) == NOTHING
    assert (endpoint.row.rate, endpoint.row.allowed_rate) == (10, None)


def test_one_that_is_enabled_again_begins_at_once(world):
    endpoint = world.endpoint(URL)
    endpoint.change(state="disabled", reason="failing", **suffering())

    world.change(endpoint, active=True)

    assert held_against(endpoint) == NOTHING


def test_what_comes_back_from_the_old_address_says_nothing_of_the_new_one(world, session):
    endpoint = world.endpoint(URL)
    world.filed()
    taken = world.claim(session)
    session.commit()
    world.change(endpoint, url=ELSEWHERE)

    world.settle(session, taken, Reason.GONE)
    session.commit()

    assert endpoint.row.state == "active"
    assert held_against(endpoint) == NOTHING
    assert endpoint.reasons == ["gone"]


def test_nobody_is_told_that_what_they_deleted_was_disabled(world, session):
    maker = administrator()
    endpoint = world.endpoint(URL, maker)
    world.filed()
    taken = world.claim(session)
    endpoints.remove(session, administrator(), endpoint.id, now())
    session.commit()

    world.settle(session, taken, Reason.GONE)
    session.commit()

    assert endpoint.row.state == "active"
    told = select(Notification).where(Notification.person == UUID(maker.actor.id))
    assert session.scalars(told).all() == []


def test_a_pending_one_that_is_not_to_be_asked_any_more_is_active(world):
    endpoint = world.endpoint(URL, handshake=True)
    endpoint.change(reason="not_allowed", handshake_at=None)

    answer = world.change(endpoint, handshake=False)

    assert (answer["state"], answer["reason"]) == ("active", None)
    assert endpoint.row.handshake_at is None


def test_a_pending_one_that_was_given_up_is_asked_again_when_it_is_enabled(world):
    endpoint = world.endpoint(URL, handshake=True)
    asked_at = endpoint.row.handshake_at
    assert world.change(endpoint, active=True)["state"] == "pending"
    assert endpoint.row.handshake_at == asked_at
    endpoint.change(reason="not_allowed", handshake_at=None, handshakes=8)

    answer = world.change(endpoint, active=True)

    assert (answer["state"], answer["reason"]) == ("pending", None)
    assert endpoint.row.handshake_at is not None
    assert endpoint.row.handshakes == 0


def test_a_repeated_command_does_not_bring_back_what_was_deleted(world, session):
    call = administrator()
    endpoint = world.endpoint(URL, call)
    endpoints.remove(session, administrator(), endpoint.id, now())
    session.commit()

    with pytest.raises(Gone):
        world.endpoint(URL, call)


def told_when_disabled(world: World, session: Session, maker: Call, code: str) -> set[UUID]:
    """Whom it reaches that what they made was disabled."""
    endpoint = world.endpoint(URL, maker, department=code)
    notices.disable(session, session.get_one(Endpoint, endpoint.id), "failing", now())
    told = Notification.variables["department"].astext == code
    return set(session.scalars(select(Notification.person).where(told)))


def test_whoever_made_it_is_told_unless_they_were_its_clerk_and_are_no_more(world, session):
    code = f"d{uuid4().hex[:8]}"
    session.merge(Department(code=code, name=code, names={}, sequence=1))
    maker, clerk, administers = department(code, "person"), uuid4(), administrator()
    clerks.keep(session, duty(UUID(maker.actor.id), code, to="2026-02-01"))
    clerks.keep(session, duty(clerk, code))
    session.commit()

    assert told_when_disabled(world, session, maker, code) == {clerk}
    everybody = {clerk, UUID(administers.actor.id)}
    assert told_when_disabled(world, session, administers, code) == everybody


def test_a_clerk_who_came_back_is_told(world, session):
    code = f"d{uuid4().hex[:8]}"
    maker = department(code, "person")
    person = UUID(maker.actor.id)
    clerks.keep(session, duty(person, code, to="2026-02-01"))
    clerks.keep(session, duty(person, code))
    session.commit()

    assert told_when_disabled(world, session, maker, code) == {person}


def test_where_nobody_can_be_told_the_log_is(world, session, capsys):
    code = f"d{uuid4().hex[:8]}"

    assert told_when_disabled(world, session, department(code), code) == set()

    assert "webhook_disabled_untold" in "".join(capsys.readouterr())
