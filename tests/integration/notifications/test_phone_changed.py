"""A number that somebody else changed is told so, at once, and is kept nowhere here."""

from datetime import timedelta
from uuid import uuid4

import pytest
from marshmallow import ValidationError
from sqlalchemy import text

from chassis.clock import now
from chassis.errors import Unavailable
from services.notifications import commands, forgetting, log, queries, schemas
from services.notifications.models import Base
from services.notifications.outcome import Reason, State
from services.notifications.texts import Texts
from tests.integration.notifications.world import person_event

MASKED = "139****0002"


@pytest.fixture
def changed(office):
    """The event of a change, whose it is, and the number before."""
    person, change = uuid4(), str(uuid4())
    before = office.residents.knows(change, changed_to=MASKED)
    office.residents.knows(person)
    return person_event("phone_changed", person, change=change), person, before


def test_the_number_before_is_told_at_once_also_in_quiet_hours_and_in_spite_of_a_digest(
    office, standin, changed
):
    event, person, before = changed
    office.prefer(person, digest="daily", quiet_hours={"from": "00:00", "to": "23:59"})

    office.hear(event)
    office.round()

    [said] = standin.texts(before)
    assert MASKED in said
    assert "致电社区" in said
    assert office.delivery(person).state == State.DELIVERED


def test_a_number_that_was_taken_is_told_so_in_the_reader_s_language(office, standin, changed):
    event, _, _ = changed
    before = office.residents.knows(event.data["change"], locale="en", changed_to=None)

    office.hear(event)
    office.round()

    assert standin.texts(before) == [
        "[Linli] The community removed your phone number. If this is wrong, call the community at "
        "once."
    ]


def test_it_stands_in_the_inbox_and_the_log_and_is_of_no_ticket(office, session, changed):
    event, person, _ = changed

    office.hear(event)

    page = {"after": None, "limit": 5, "unread": False}
    [item] = queries.inbox(session, Texts(), person, "zh-CN", page)["items"]
    assert (item["title"], item["ticket"], item["number"]) == ("您登记的手机号有变更", None, None)
    [held] = queries.held_on(session, {"person": person, "after": None, "limit": 5})["items"]
    assert (held["purpose"], held["ticket"]) == ("phone_changed", None)
    found = log.deliveries(session, schemas.ListDeliveries().load({"person": str(person)}))["items"]
    assert {each["ticket"] for each in found} == {None}


def test_no_number_is_kept_whatever_became_of_it(office, session, changed):
    event, _, before = changed
    office.hear(event)
    office.round()

    every = [f"SELECT t::text FROM {table.name} t" for table in Base.metadata.sorted_tables]
    rows = [row for query in every for row in session.scalars(text(query))]
    assert [row for row in rows if before[-8:] in row or MASKED in row] == []


def test_while_residents_is_away_it_waits_and_is_told_then(office, standin, changed):
    event, person, before = changed
    office.hear(event)
    office.residents.error = Unavailable()
    office.round()
    assert office.delivery(person).reason == Reason.RESIDENTS_UNAVAILABLE

    office.residents.error = None
    office.round(now() + timedelta(minutes=1))

    assert len(standin.texts(before)) == 1


def test_of_a_change_that_is_known_no_more_nobody_is_told(office, standin, changed):
    event, person, before = changed
    office.residents.contacts[event.data["change"]]["phone"] = None
    office.hear(event)
    office.round()

    delivery = office.delivery(person)
    assert (delivery.state, delivery.reason) == (State.FAILED, Reason.NO_PHONE)
    assert standin.texts(before) == []


def test_whoever_was_erased_meanwhile_is_told_nothing(office, session, standin, changed):
    event, person, before = changed
    office.hear(event)
    forgetting.forget_person(session, person_event("erased", person), now())
    session.commit()

    office.round()

    assert standin.texts(before) == []


def test_an_event_without_its_change_is_refused_for_good(session, limits):
    with pytest.raises(ValidationError):
        commands.tell(session, person_event("phone_changed", uuid4()), limits, now())
