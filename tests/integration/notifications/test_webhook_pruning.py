"""What is forgotten of webhooks, and that nothing which is in hand is; on a real database."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from chassis.clock import now
from services.notifications.webhooks import endpoints, pruning
from services.notifications.webhooks.models import Attempt, Delivery, Endpoint, Event
from services.notifications.webhooks.outcome import Reason
from tests.integration.notifications.webhook_world import URL, World, administrator


@pytest.fixture
def world(engine: Engine, webhook_environ: dict[str, str]) -> World:
    world = World(engine, webhook_environ)
    with Session(engine) as session, session.begin():
        for table in (Attempt, Delivery, Event):
            session.execute(delete(table))
    return world


def test_old_events_go_with_their_deliveries_and_attempts(world, session):
    endpoint = world.endpoint(URL)
    world.filed()
    world.settle(session, world.claim(session), Reason.DELIVERED)
    session.commit()

    assert pruning.forget_events(session, now() - timedelta(days=1), 100) == 0
    assert len(endpoint.deliveries) == 1
    while pruning.forget_events(session, now(), 100):
        pass
    session.commit()

    assert endpoint.deliveries == []
    assert session.scalar(select(func.count()).select_from(Attempt)) == 0
    assert session.scalar(select(func.count()).select_from(Event)) == 0


def test_no_more_rows_go_at_once_than_asked_for_however_many_endpoints_had_the_event(
    world, session
):
    watched = [world.endpoint(URL) for _ in range(5)]
    world.filed()

    assert pruning.forget_events(session, now(), 2) == 2
    session.commit()
    assert sum(len(each.deliveries) for each in watched) == 3
    assert session.scalar(select(func.count()).select_from(Event)) == 1

    assert [pruning.forget_events(session, now(), 2) for _ in range(3)] == [2, 2, 0]


def test_a_delivery_whose_attempt_is_being_recorded_is_left_for_the_next_time(
    world, engine, session
):
    endpoint = world.endpoint(URL)
    world.filed()
    taken = world.claim(session)
    session.commit()

    with Session(engine) as recording, recording.begin():
        world.settle(recording, taken, Reason.DELIVERED)
        assert pruning.forget_events(session, now(), 10) == 0
        session.commit()
    assert endpoint.reasons == ["delivered"]

    assert pruning.forget_events(session, now(), 10) == 2


def test_a_deleted_endpoint_goes_once_its_deliveries_are_gone(world, session):
    endpoint = world.endpoint(URL)
    for _ in range(3):
        world.filed()
    endpoints.remove(session, administrator(), endpoint.id, now())

    while pruning.forget_endpoints(session, now() - timedelta(days=30), 2):
        pass
    session.commit()

    assert session.get(Endpoint, endpoint.id) is None
    assert endpoint.deliveries == []
