"""After a restore nobody is texted what they may have been texted before it, unless an operator
lets it go.
"""

from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from chassis.clock import now
from chassis.ids import made_at, new_id
from services.notifications import restored
from services.notifications.models import Restored
from services.notifications.outcome import Reason, State

A_MOMENT = timedelta(seconds=5)


@pytest.fixture(autouse=True)
def never_restored(engine):
    """To the other tests of this database."""
    yield
    with Session(engine) as session, session.begin():
        session.execute(delete(Restored))


def held_ids(office):
    return [row.id for row in restored.held(office.session, 1000)]


def test_an_id_tells_when_it_was_made():
    before, made, after = now(), made_at(new_id()), now()

    assert before - timedelta(milliseconds=1) <= made <= after


def test_what_waits_in_a_restored_database_is_held_and_stands_in_the_inbox(office, story, standin):
    office.hear(story.event("filed"))

    held = restored.hold(office.session, now())

    office.round()
    assert held >= 1
    assert standin.texts(story.phone) == []
    delivery = office.delivery(story.reporter)
    assert (delivery.state, delivery.reason) == (State.SKIPPED, Reason.HELD_AFTER_RESTORE)
    assert delivery.id in held_ids(office)


def test_what_was_made_before_the_restore_and_is_heard_after_it_is_held(office, story, standin):
    event = story.event("filed")
    restored.hold(office.session, now() + A_MOMENT)

    office.hear(event)

    office.round()
    assert standin.texts(story.phone) == []
    assert office.delivery(story.reporter).reason == Reason.HELD_AFTER_RESTORE


def test_what_is_made_after_the_restore_is_sent(office, story, standin):
    restored.hold(office.session, now() - A_MOMENT)

    office.hear(story.event("filed"))

    office.round()
    assert len(standin.texts(story.phone)) == 1


def test_an_operator_lets_go_what_is_held(office, story, standin):
    office.hear(story.event("filed"))
    restored.hold(office.session, now())
    delivery = office.delivery(story.reporter)

    assert restored.release(office.session, [new_id()], now()) == 0
    assert restored.release(office.session, [delivery.id], now()) == 1

    office.round()
    assert len(standin.texts(story.phone)) == 1
    assert delivery.id not in held_ids(office)
