"""The log of deliveries, and what of it is forgotten when."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from marshmallow import ValidationError
from sqlalchemy import func, select

from chassis.clock import iso, now
from services.notifications import log, pruning, schemas
from services.notifications.errors import BadCursor
from services.notifications.models import Attempt, Delivery, Notification, Progress
from services.notifications.outcome import Reason, State
from services.notifications.pruning import Kept
from tests.integration.notifications.world import TicketStory

KEPT = Kept(
    deliveries=timedelta(days=90),
    notifications=timedelta(days=365),
    webhooks=timedelta(days=30),
)


@pytest.fixture
def listed(session):
    """The log as an administrator reads it."""

    def read(**query):
        return log.deliveries(session, schemas.ListDeliveries().load(query))

    return read


def test_each_filter_finds_its_own_and_no_other(office, story, standin, listed):
    office.hear(story.event("filed"))
    standin.misbehave(status=422)
    office.round()
    hour = timedelta(hours=1)
    mine = {
        "state": "failed",
        "reason": "provider_refused",
        "channel": "sms",
        "purpose": "ticket_filed",
        "urgent": False,
        "from": iso(now() - hour),
        "to": iso(now() + hour),
    }
    others = {
        "state": "delivered",
        "reason": "expired",
        "channel": "email",
        "purpose": "ticket_closed",
        "urgent": True,
        "from": iso(now() + hour),
        "to": iso(now() - hour),
        "ticket": str(uuid4()),
    }
    person = str(story.reporter)

    [item] = listed(person=person, ticket=story.ticket, **mine)["items"]

    assert (item["person"], item["ticket"], item["urgent"]) == (person, story.ticket, False)
    assert [(each["reason"], each["status"]) for each in item["attempts"]] == [
        ("provider_refused", 422)
    ]
    for name, value in others.items():
        assert listed(**{"person": person, name: value})["items"] == [], name


def test_pages_follow_each_other_newest_first(office, story, listed):
    for _ in range(5):
        office.hear(story.event("started"))
    person, found, after = str(story.reporter), [], None
    while True:
        page = listed(person=person, limit=2, after=after)
        found += page["items"]
        if not (after := page["next"]):
            break
    assert len({item["id"] for item in found}) == 5
    moments = [item["created_at"] for item in found]
    assert moments == sorted(moments, reverse=True)


def test_a_cursor_of_another_list_is_refused(listed):
    with pytest.raises(BadCursor):
        listed(after="WyIyMDI2IiwgIjEiLCAiMSJd")


@pytest.mark.parametrize(
    "query", [{"state": "lost"}, {"channel": "inbox"}, {"person": "x"}, {"from": "2026-11-01"}]
)
def test_a_filter_that_nothing_could_pass_is_refused(query):
    with pytest.raises(ValidationError):
        schemas.ListDeliveries().load(query)


def prune(session, after):
    for step in pruning.steps(KEPT, limit=50):
        while step(session, now() + after):
            session.commit()
        session.commit()


def count(session, model, *conditions):
    return session.scalar(select(func.count()).select_from(model).where(*conditions))


def test_messages_are_forgotten_first_and_then_the_inbox(session, office, story):
    office.hear(story.event("filed"))
    office.round()
    delivery = office.delivery(story.reporter).id
    about = Notification.ticket == UUID(story.ticket)

    prune(session, timedelta(days=89))
    assert count(session, Attempt, Attempt.delivery == delivery) == 1

    prune(session, timedelta(days=91))
    assert count(session, Delivery, Delivery.id == delivery) == 0
    assert count(session, Attempt, Attempt.delivery == delivery) == 0
    assert count(session, Notification, about) == 1

    prune(session, timedelta(days=366))
    assert count(session, Notification, about) == 0
    assert count(session, Progress, Progress.ticket == UUID(story.ticket)) == 0


def test_what_still_waits_is_never_forgotten(session, office, story):
    office.hear(story.event("filed"))
    collected = TicketStory()
    office.prefer(collected.reporter, digest="weekly")
    office.hear(collected.event("filed"))

    prune(session, timedelta(days=4000))

    assert office.delivery(story.reporter).state == State.QUEUED
    assert office.delivery(collected.reporter).state == State.COLLECTED


def test_a_ticket_that_moves_again_is_remembered(session, office, story):
    office.hear(story.event("filed"))
    office.hear(story.event("accepted"), now() + timedelta(days=300))
    prune(session, timedelta(days=366))
    assert count(session, Progress, Progress.ticket == UUID(story.ticket)) == 1


def test_the_log_holds_every_reason_there_is():
    assert {str(reason) for reason in Reason} == set(
        schemas.ListDeliveries().fields["reason"].validate.choices
    )
