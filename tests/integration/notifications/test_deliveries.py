"""Deliveries from claim to record: shared by workers, tried again, never lost, never told twice."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.clock import now
from chassis.errors import Forbidden, NotFound, Unavailable
from services.notifications import claims, codes, deliveries, log
from services.notifications.errors import CodeNotSent, CodeRefused
from services.notifications.models import Attempt, Delivery, Notification
from services.notifications.outcome import Reason, Result, State
from services.notifications.texts import Texts
from tests.integration.notifications.office import LEASE
from tests.integration.notifications.world import TicketStory, a_phone, an_address

SOON, LATER = timedelta(seconds=10), timedelta(hours=2)


def test_a_message_reaches_the_person(office, story, standin):
    office.hear(story.event("filed"))

    office.round()

    [text] = standin.texts(story.phone)
    assert text.startswith("【邻里】")
    assert story.facts["number"] in text
    delivery = office.delivery(story.reporter)
    assert (delivery.state, delivery.reason) == (State.DELIVERED, Reason.DELIVERED)
    assert delivery.provider_reference
    [attempt] = office.session.scalars(select(Attempt).where(Attempt.delivery == delivery.id))
    assert (attempt.number, attempt.status, attempt.next_attempt_at) == (1, 201, None)
    assert attempt.duration_ms >= 0


def test_a_message_is_written_in_the_persons_language(office, story, standin):
    story.phone = office.residents.knows(story.reporter, locale="en")
    office.hear(story.event("accepted"))
    office.round()
    assert standin.texts(story.phone)[0].startswith("[Linli] Your request")


def test_who_left_an_address_is_told_by_mail_and_not_by_sms_too(office, story, standin, postbox):
    address = an_address()
    story.phone = office.residents.knows(story.reporter, email=address)
    office.hear(story.event("filed"))

    office.round()

    [mail] = postbox.items(address)
    assert story.facts["number"] in mail["subject"]
    assert story.facts["number"] in mail["text"]
    assert f"<strong>{story.facts['number']}</strong>" in mail["html"]
    assert standin.texts(story.phone) == []
    delivery = office.delivery(story.reporter)
    assert (delivery.state, delivery.channel) == (State.DELIVERED, "email")


def test_urgent_news_goes_to_the_phone_even_of_who_left_an_address(office, story, standin, postbox):
    address = an_address()
    story.phone = office.residents.knows(story.reporter, email=address)
    office.hear(story.event("filed", priority="urgent"))
    office.round()
    assert len(standin.texts(story.phone)) == 1
    assert postbox.items(address) == []
    assert office.delivery(story.reporter).channel == "sms"


def test_mail_is_tried_again_and_given_up_as_an_sms_is(office, story, postbox):
    address = an_address()
    office.residents.knows(story.reporter, phone=None, email=address)
    office.hear(story.event("filed"))
    postbox.misbehave(stage="rcpt", code=450)
    office.round()
    postbox.misbehave(stage="rcpt", code=550)
    office.round(now() + SOON)

    query = select(Attempt.reason, Attempt.status).order_by(Attempt.number)
    found = office.session.execute(
        query.where(Attempt.delivery == office.delivery(story.reporter).id)
    ).all()
    assert [tuple(row) for row in found] == [("provider_busy", 450), ("provider_refused", 550)]
    assert office.delivery(story.reporter).state == State.FAILED


def test_staff_are_told_of_their_tasks_by_mail_if_they_left_an_address(office, postbox):
    story, assignee, other = TicketStory(), uuid4(), uuid4()
    address = an_address()
    office.residents.knows(assignee, email=address)
    office.residents.knows(other)
    event = story.event("assigned", assignee=str(assignee), previous_assignee=str(other))
    office.hear(event)

    office.round()

    assert story.facts["number"] in postbox.subjects(address)[0]
    without = office.delivery(other)
    assert (without.state, without.reason) == (State.SKIPPED, Reason.NO_EMAIL)


def test_every_step_of_a_quick_story_is_told_in_order(office, story, standin):
    steps = ("filed", "accepted", "assigned", "started", "resolved", "closed")
    for name in steps:
        office.hear(story.event(name))
        office.round()
    said = standin.texts(story.phone)
    words = ("已登记", "已受理", "已派给", "正在办理", "已办结", "已归档")
    assert all(word in text for word, text in zip(words, said, strict=True))


def test_what_is_delivered_is_not_taken_again(office, story, standin):
    office.hear(story.event("filed"))
    assert (office.round(), office.round(now() + LATER)) == (1, 0)
    assert len(standin.texts(story.phone)) == 1


def test_a_provider_in_trouble_is_tried_again_on_the_schedule(office, story, standin):
    office.hear(story.event("filed"))
    standin.misbehave(status=500, times=2)
    start = now()

    assert office.round(start) == 1
    assert office.round(start + timedelta(seconds=4)) == 0
    assert office.round(start + timedelta(seconds=6)) == 1
    assert office.round(start + timedelta(seconds=60)) == 1

    assert office.reasons(story.reporter) == ["provider_error", "provider_error", "delivered"]
    assert len(standin.texts(story.phone)) == 1


def test_a_provider_that_never_recovers_is_given_up_with_its_reason(office, story, standin):
    office.hear(story.event("filed"))
    standin.misbehave(status=500)

    for hours in range(3):
        office.round(now() + hours * LATER)

    delivery = office.delivery(story.reporter)
    assert (delivery.state, delivery.reason) == (State.FAILED, Reason.PROVIDER_ERROR)
    assert delivery.next_attempt_at is None
    assert delivery.settled_at is not None


def test_a_number_that_the_provider_refuses_is_not_tried_again(office, story, standin):
    office.hear(story.event("filed"))
    standin.misbehave(status=422)

    office.round()

    delivery = office.delivery(story.reporter)
    assert (delivery.state, delivery.reason) == (State.FAILED, Reason.PROVIDER_REFUSED)


def test_a_message_waits_for_residents_and_loses_nothing(office, story, standin):
    office.hear(story.event("filed"))
    office.residents.error = Unavailable()

    for hours in range(20):
        office.round(now() + hours * LATER)
    assert office.delivery(story.reporter).provider_failures == 0
    office.residents.error = None
    office.round(now() + 20 * LATER)

    assert office.reasons(story.reporter) == ["residents_unavailable"] * 20 + ["delivered"]
    assert len(standin.texts(story.phone)) == 1


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (NotFound(), State.FAILED, Reason.UNKNOWN_PERSON),
        (Forbidden(), State.QUEUED, Reason.RESIDENTS_REFUSED),
        (Unavailable(), State.QUEUED, Reason.RESIDENTS_UNAVAILABLE),
    ],
)
def test_what_residents_answer_decides_what_follows(office, story, error, state, reason):
    office.hear(story.event("filed"))
    office.residents.error = error

    office.round()

    delivery = office.delivery(story.reporter)
    assert (delivery.state, delivery.reason) == (state, reason)


def test_a_person_without_a_telephone_has_the_inbox(office, story):
    office.residents.knows(story.reporter, phone=None)
    office.hear(story.event("filed"))
    office.round()
    assert office.delivery(story.reporter).reason == Reason.NO_PHONE


def test_news_that_was_held_up_gives_way_to_later_news(office, story, standin):
    office.hear(story.event("accepted"))
    standin.misbehave(status=500)
    office.round()
    office.hear(story.event("assigned"))
    standin.behave()

    office.round(now() + timedelta(minutes=2))

    [text] = standin.texts(story.phone)
    assert "已派给" in text
    attempts = select(Attempt.reason).join(Delivery, Delivery.id == Attempt.delivery)
    query = attempts.join(Notification, Notification.id == Delivery.notification)
    query = query.where(Notification.ticket == UUID(story.ticket)).order_by(Attempt.reason)
    assert office.session.scalars(query).all() == ["delivered", "provider_error"]


def test_news_that_was_held_up_for_days_is_not_sent(office, story, standin):
    office.hear(story.event("accepted"))
    office.round(now() + timedelta(days=4))
    delivery = office.delivery(story.reporter)
    assert (delivery.state, delivery.reason) == (State.SKIPPED, Reason.EXPIRED)
    assert standin.texts(story.phone) == []


def test_two_workers_share_what_is_due_and_wait_for_neither(engine, office, story, schedules):
    for _ in range(6):
        office.hear(story.event("started"))
    with Session(engine) as one, Session(engine) as other:
        first = claims.claim(one, now(), 3, LEASE, schedules)
        second = claims.claim(other, now(), 10, LEASE, schedules)
        one.commit(), other.commit()
    ids = [each.id for each in (*first, *second)]
    assert (len(first), len(second)) == (3, 3)
    assert len(set(ids)) == 6


def test_a_claim_is_a_lease(office, story):
    office.hear(story.event("filed"))
    assert len(office.claim()) == 1
    assert office.claim(now() + LEASE / 2) == []
    assert len(office.claim(now() + LEASE * 2)) == 1


def test_a_worker_that_died_after_sending_tells_nobody_twice(office, story, standin):
    office.hear(story.event("filed"))
    [claimed] = office.claim()
    office.courier.carry(claimed, now())  # … and it dies before the record.

    office.round(now() + LEASE * 2)

    assert len(standin.texts(story.phone)) == 1
    assert office.reasons(story.reporter) == ["worker_lost", "delivered"]
    assert office.delivery(story.reporter).state == State.DELIVERED


def test_a_worker_that_was_thought_dead_changes_nothing_any_more(office, story):
    office.hear(story.event("filed"))
    [slow] = office.claim()
    [quick] = office.claim(now() + LEASE * 2)
    office.record(quick, Result(Reason.DELIVERED))

    assert office.record(slow, Result(Reason.PROVIDER_TIMEOUT)) is None

    assert office.delivery(story.reporter).state == State.DELIVERED


def test_a_worker_that_records_twice_is_heard_once(office, story):
    office.hear(story.event("filed"))
    [claimed] = office.claim()
    assert office.record(claimed, Result(Reason.PROVIDER_TIMEOUT)) is not None
    assert office.record(claimed, Result(Reason.PROVIDER_TIMEOUT)) is None
    assert office.delivery(story.reporter).provider_failures == 1


def test_a_message_at_whose_sight_workers_die_is_given_up(office, story):
    office.hear(story.event("filed"))
    taken = [len(office.claim(now() + round * 2 * LEASE)) for round in range(6)]
    assert taken == [1, 1, 1, 1, 0, 0]
    delivery = office.delivery(story.reporter)
    assert (delivery.state, delivery.reason) == (State.FAILED, Reason.WORKER_LOST)


def test_one_message_that_fails_holds_up_no_other(office, standin):
    stories = [TicketStory() for _ in range(5)]
    for story in stories[1:]:
        story.phone = office.residents.knows(story.reporter)
    for story in stories:
        office.hear(story.event("filed"))

    office.round()

    assert office.delivery(stories[0].reporter).reason == Reason.UNKNOWN_PERSON
    assert all(len(standin.texts(story.phone)) == 1 for story in stories[1:])


def test_an_administrator_sees_deliveries_with_their_attempts_and_no_number(office, story, standin):
    office.hear(story.event("filed"))
    standin.misbehave(status=503, times=1)
    office.round()
    office.round(now() + SOON)

    page = log.deliveries(office.session, {"limit": 1, "after": None, "person": story.reporter})

    [item] = page["items"]
    assert item["state"] == State.DELIVERED
    assert [attempt["reason"] for attempt in item["attempts"]] == ["provider_busy", "delivered"]
    assert story.phone.removeprefix("+86") not in str(page)


def test_deliveries_come_in_pages(office, story):
    for _ in range(3):
        office.hear(story.event("started"))
    first = log.deliveries(office.session, {"limit": 2, "after": None, "state": "queued"})
    rest = {"limit": 2, "after": first["next"], "state": "queued"}
    second = log.deliveries(office.session, rest)
    assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, None)


def code_for(phone, locale="zh-CN"):
    return codes.write(Texts(), {"phone": phone, "code": "482913", "locale": locale}, str(uuid4()))


def test_a_sign_in_code_is_sent_at_once(provider, standin):
    phone = a_phone()
    result = codes.send(provider, code_for(phone), 1)
    codes.require_sent(result)
    assert "482913" in standin.texts(phone)[0]


def test_a_sign_in_code_asked_for_twice_by_one_call_is_sent_once(provider, standin):
    message = code_for(a_phone())
    codes.send(provider, message, 1), codes.send(provider, message, 1)
    assert len(standin.texts(message.to)) == 1


def test_another_code_is_another_message_even_for_the_same_request(provider, standin):
    phone, request = a_phone(), str(uuid4())
    for code in ("482913", "100200"):
        command = {"phone": phone, "code": code, "locale": "zh-CN"}
        codes.send(provider, codes.write(Texts(), command, request), 1)
    assert len(standin.texts(phone)) == 2


@pytest.mark.parametrize(
    ("status", "error"), [(500, CodeNotSent), (401, CodeNotSent), (422, CodeRefused)]
)
def test_a_sign_in_code_that_is_not_sent_is_an_error(provider, standin, status, error):
    standin.misbehave(status=status)
    with pytest.raises(error):
        codes.require_sent(codes.send(provider, code_for(a_phone()), 1))


def test_a_sign_in_code_leaves_an_attempt_and_neither_code_nor_number(session):
    delivery = uuid4()
    deliveries.record_code(session, delivery, Result(Reason.PROVIDER_TIMEOUT, seconds=1), now())
    session.commit()
    page = log.deliveries(session, {"limit": 200, "after": None, "state": "failed"})
    [item] = [each for each in page["items"] if each["id"] == str(delivery)]
    assert (item["purpose"], item["reason"], item["person"]) == (
        "sign_in_code",
        "provider_timeout",
        None,
    )
    assert item["attempts"][0]["duration_ms"] == 1000
