"""The order of a ticket's events, for endpoints that ask for it, on a real database."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import case, update
from sqlalchemy.orm import Session

from chassis.clock import now
from services.notifications.webhooks import arrivals
from services.notifications.webhooks.models import Delivery
from services.notifications.webhooks.outcome import Reason
from tests.integration.notifications.webhook_world import URL, told
from tests.integration.notifications.world import TicketStory


def test_what_is_stored_the_wrong_way_round_is_sent_the_right_way_round(world, engine, session):
    world.endpoint(URL, ordered=True)
    story = TicketStory()
    rated, closed = told(story.event("rated")), told(story.event("closed"))

    with Session(engine) as slow, slow.begin():
        arrivals.keep(slow, rated, now())
        world.arrive(closed)
        assert world.claim(session) == []
    later = now() + arrivals.SETTLING
    first = world.claim(session, later)
    assert world.claim(session, later) == []
    world.settle(session, first, Reason.DELIVERED)
    second = world.claim(session, later)

    assert [each.event for each in (*first, *second)] == [UUID(rated.id), UUID(closed.id)]


def test_nobody_else_waits_for_what_may_come_before(world, session):
    world.endpoint(URL)
    event = world.filed()

    assert [each.event for each in world.claim(session)] == [UUID(event.id)]


def test_an_endpoint_whose_only_due_events_wait_behind_a_failed_one_has_no_turn(world, session):
    endpoint = world.endpoint(URL, ordered=True)
    story = TicketStory()
    world.arrive(*(told(story.event(name)) for name in ("filed", "accepted", "assigned")))
    world.settle(session, world.claim(session, now() + arrivals.SETTLING), Reason.SERVER_ERROR)
    first = Delivery.sequence == 1
    due = case((first, now() + timedelta(minutes=5)), else_=now())
    theirs = update(Delivery).where(Delivery.endpoint == endpoint.id)
    session.execute(theirs.values(next_attempt_at=due))
    session.commit()
    before = endpoint.row.served_at, endpoint.row.tokens_at

    assert world.claim(session) == []
    session.commit()

    assert (endpoint.row.served_at, endpoint.row.tokens_at) == before
