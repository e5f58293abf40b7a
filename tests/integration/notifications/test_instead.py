"""What fails for good by one channel goes by the next, once: refused mail becomes an SMS."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.clock import ZONE, now
from chassis.ids import new_id
from services.notifications import deliveries, forgetting, log, queries, schemas
from services.notifications.models import Delivery
from services.notifications.outcome import Reason, Result, State
from tests.integration.notifications.office import LEASE
from tests.integration.notifications.world import TicketStory, an_address, person_event

LATER = timedelta(hours=2)
NIGHT = datetime(2026, 11, 3, 23, 30, tzinfo=ZONE)
MORNING = datetime(2026, 11, 4, 7, 0, tzinfo=ZONE)


@pytest.fixture
def story(office, postbox):
    """A ticket whose reporter has a telephone, and a mailbox that refuses for good."""
    story = TicketStory()
    story.address = an_address()
    story.phone = office.residents.knows(story.reporter, email=story.address)
    postbox.misbehave(stage="rcpt", code=550)
    return story


def logged(office, person):
    """What the log of deliveries says of a person, in the order of time."""
    office.session.expire_all()
    page = schemas.ListDeliveries().load({"person": str(person)})
    return log.deliveries(office.session, page)["items"][::-1]


def channels_and_reasons(office, person):
    return [(item["channel"], item["reason"]) for item in logged(office, person)]


@pytest.mark.parametrize(
    "refusal", [{"stage": "rcpt", "code": 550}, {"stage": "data", "code": 554}]
)
def test_mail_that_is_refused_for_good_becomes_an_sms(office, story, postbox, standin, refusal):
    postbox.misbehave(**refusal)
    office.hear(story.event("filed"))

    for _ in range(3):
        office.round()

    [text] = standin.texts(story.phone)
    assert story.facts["number"] in text
    mail, sms = logged(office, story.reporter)
    assert (mail["channel"], mail["state"], mail["reason"]) == (
        "email",
        State.FAILED,
        Reason.PROVIDER_REFUSED,
    )
    assert (sms["channel"], sms["state"], sms["reason"]) == (
        "sms",
        State.DELIVERED,
        Reason.DELIVERED,
    )
    assert (mail["instead_of"], sms["instead_of"]) == (None, mail["id"])
    assert [[attempt["status"] for attempt in each["attempts"]] for each in (mail, sms)] == [
        [refusal["code"]],
        [201],
    ]


def test_what_is_sent_instead_says_so_while_it_waits(office, story):
    office.hear(story.event("filed"))
    office.round()
    sms = logged(office, story.reporter)[1]
    assert (sms["state"], sms["reason"]) == (State.QUEUED, Reason.FIRST_CHANNEL_FAILED)


def test_mail_whose_retries_are_used_up_becomes_an_sms(office, story, postbox, standin):
    postbox.misbehave(stage="rcpt", code=450)
    office.hear(story.event("filed"))

    for hours in range(4):
        assert standin.texts(story.phone) == []
        office.round(now() + hours * LATER)

    assert len(standin.texts(story.phone)) == 1
    assert channels_and_reasons(office, story.reporter) == [
        ("email", Reason.PROVIDER_BUSY),
        ("sms", Reason.DELIVERED),
    ]


def test_an_urgent_sms_that_is_refused_for_good_becomes_a_mail(office, story, postbox, standin):
    postbox.behave()
    standin.misbehave(status=422)
    office.hear(story.event("filed", priority="urgent"))

    for _ in range(2):
        office.round()

    assert len(postbox.items(story.address)) == 1
    assert channels_and_reasons(office, story.reporter) == [
        ("sms", Reason.PROVIDER_REFUSED),
        ("email", Reason.DELIVERED),
    ]


def test_when_both_refuse_there_is_no_third_message(office, story, standin):
    standin.misbehave(status=422)
    office.hear(story.event("filed"))

    for hours in range(4):
        office.round(now() + hours * LATER)

    assert channels_and_reasons(office, story.reporter) == [
        ("email", Reason.PROVIDER_REFUSED),
        ("sms", Reason.PROVIDER_REFUSED),
    ]


def test_who_turned_sms_off_is_sent_none(office, story, standin):
    office.prefer(story.reporter, purposes={"ticket_filed": {"sms": False}})
    office.hear(story.event("filed"))

    for _ in range(2):
        office.round()

    assert standin.texts(story.phone) == []
    assert channels_and_reasons(office, story.reporter) == [("email", Reason.PROVIDER_REFUSED)]


def test_who_turns_sms_off_before_it_goes_is_sent_none(office, story, standin):
    office.hear(story.event("filed"))
    office.round()
    office.prefer(story.reporter, purposes={"ticket_filed": {"sms": False}})
    office.round()
    assert standin.texts(story.phone) == []
    assert logged(office, story.reporter)[1]["reason"] == Reason.TURNED_OFF


def test_who_has_no_telephone_has_the_inbox(office, story):
    office.residents.knows(story.reporter, phone=None, email=story.address)
    office.hear(story.event("filed"))
    office.round()
    assert channels_and_reasons(office, story.reporter) == [("email", Reason.PROVIDER_REFUSED)]


def test_what_has_no_text_for_an_sms_is_not_sent_by_one(office, story, standin):
    office.hear(story.event("sent_back"))
    office.round()
    assert channels_and_reasons(office, story.reporter) == [("email", Reason.PROVIDER_REFUSED)]


def test_at_night_it_waits_for_the_morning(office, story, standin):
    office.prefer(story.reporter, quiet_hours={"from": "22:00", "to": "07:00"})
    office.hear(story.event("filed", NIGHT), NIGHT)
    for _ in range(2):
        office.round(NIGHT)
    assert standin.texts(story.phone) == []
    assert logged(office, story.reporter)[1]["reason"] == Reason.QUIET_HOURS

    office.round(MORNING)

    assert len(standin.texts(story.phone)) == 1


def test_it_gives_way_to_later_news_that_came_while_the_mail_was_tried(
    office, story, postbox, standin
):
    postbox.misbehave(stage="rcpt", code=450)
    office.hear(story.event("accepted"))
    office.round()
    postbox.misbehave(stage="rcpt", code=550)
    office.round(now() + timedelta(minutes=2))
    office.hear(story.event("assigned"), now() + timedelta(minutes=2))

    for _ in range(2):
        office.round(now() + timedelta(minutes=2))

    [text] = standin.texts(story.phone)
    assert "已派给" in text


def test_a_digest_that_is_refused_for_good_goes_to_the_phone(office, story, standin):
    day, morning = NIGHT.replace(hour=14), MORNING.replace(hour=8)
    office.prefer(story.reporter, day, digest="daily")
    for name in ("filed", "accepted"):
        office.hear(story.event(name, day), day)

    for _ in range(3):
        office.round(morning)

    [text] = standin.texts(story.phone)
    assert "2条" in text
    held = queries.held_on(office.session, schemas.HeldOn().load({"person": str(story.reporter)}))
    told = [
        [
            (message["purpose"], message["channel"], message["state"])
            for message in item["deliveries"]
        ]
        for item in held["items"]
    ]
    assert [each[1:] for each in told] == [
        [("digest", "email", State.FAILED), ("digest", "sms", State.DELIVERED)]
    ] * 2


def test_a_kill_before_the_record_makes_neither_none_nor_two(office, engine, story, standin):
    office.hear(story.event("filed"))
    [claimed] = office.claim()
    refused = Result(Reason.PROVIDER_REFUSED, status=550, channel="email", otherwise=("sms",))
    with Session(engine) as killed:
        deliveries.record(killed, claimed, refused, office.schedules, now(), chance=0.5)
        killed.flush()
    assert len(logged(office, story.reporter)) == 1

    for minutes in (1, 2, 3):
        office.round(now() + timedelta(minutes=minutes))

    assert len(standin.texts(story.phone)) == 1
    assert channels_and_reasons(office, story.reporter) == [
        ("email", Reason.PROVIDER_REFUSED),
        ("sms", Reason.DELIVERED),
    ]


def test_a_worker_that_was_thought_dead_sends_no_second_sms(office, story, standin):
    office.hear(story.event("filed"))
    [slow] = office.claim()
    refused = Result(Reason.PROVIDER_REFUSED, status=550, channel="email", otherwise=("sms",))
    office.round(now() + LEASE + timedelta(seconds=1))

    assert office.record(slow, refused) is None

    office.round(now() + LATER)
    assert len(standin.texts(story.phone)) == 1
    assert len(logged(office, story.reporter)) == 2


@pytest.mark.parametrize("state", [State.QUEUED, State.DELIVERED, State.SKIPPED])
def test_the_database_allows_one_message_that_has_not_failed(office, story, postbox, state):
    postbox.behave()
    office.hear(story.event("filed"))
    first = office.delivery(story.reporter)
    office.session.add(second_message(first, state))
    with pytest.raises(IntegrityError, match="delivery_once"):
        office.session.flush()
    office.session.rollback()


def test_the_database_allows_one_message_instead_of_one_that_failed(office, story):
    office.hear(story.event("filed"))
    office.round()
    mail, sms = messages(office, story.reporter)
    assert (mail.state, sms.instead_of) == (State.FAILED, mail.id)
    office.session.add(second_message(mail, State.FAILED))
    with pytest.raises(IntegrityError, match="delivery_instead_once"):
        office.session.flush()
    office.session.rollback()


def test_whoever_is_erased_while_the_mail_is_refused_is_sent_no_sms(office, engine, story, standin):
    office.hear(story.event("filed"))
    [claimed] = office.claim()
    with Session(engine) as erasing:
        forgetting.forget_person(erasing, person_event("erased", story.reporter), now())
        erasing.commit()
    refused = Result(Reason.PROVIDER_REFUSED, status=550, channel="email", otherwise=("sms",))

    assert office.record(claimed, refused) is None

    assert messages(office, story.reporter) == []
    assert standin.texts(story.phone) == []


def messages(office, person):
    office.session.expire_all()
    query = select(Delivery).where(Delivery.person == person).order_by(Delivery.created_at)
    return office.session.scalars(query).all()


def second_message(first, state):
    """A message about the same news instead of a first one."""
    return Delivery(
        id=new_id(),
        notification=first.notification,
        person=first.person,
        instead_of=first.id,
        purpose=first.purpose,
        channel="sms",
        channels=["sms"],
        state=state,
        next_attempt_at=now() if state is State.QUEUED else None,
        created_at=now(),
    )
