"""Endpoints that move, are let go or deleted while something is on its way, on a real database."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chassis.clock import now
from services.notifications.models import Notification
from services.notifications.webhooks import endpoints
from services.notifications.webhooks.outcome import Reason
from tests.integration.notifications.webhook_world import (
    LONG_AGO,
    URL,
    administrator,
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
