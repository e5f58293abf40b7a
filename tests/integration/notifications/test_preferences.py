"""What people prefer, and that it holds: for what comes, and for what waits."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from chassis.clock import ZONE, now
from chassis.errors import Invalid
from services.notifications import commands, preferences, queries, schemas
from services.notifications.models import Preference
from services.notifications.outcome import Reason, State
from services.notifications.quiet import DEFAULT_QUIET
from services.notifications.texts import Texts
from tests.integration.notifications.world import TicketStory, an_address

NIGHT = datetime(2026, 11, 3, 23, 30, tzinfo=ZONE)
MORNING = datetime(2026, 11, 4, 7, 0, tzinfo=ZONE)
LATE = {"quiet_hours": {"from": "22:00", "to": "07:00"}}


def off(purpose, *channels):
    return {"purposes": {purpose: dict.fromkeys(channels, False)}}


def test_who_has_said_nothing_has_the_defaults_and_no_row(session):
    person = uuid4()
    shown = preferences.answer(preferences.read(session, person), DEFAULT_QUIET, Texts(), "en")
    assert shown["quiet_hours"] == {"from": "22:00", "to": "07:00"}
    assert (shown["digest"], shown["time_zone"]) == ("off", "Asia/Shanghai")
    assert shown["purposes"]["ticket_filed"] == {"inbox": True, "email": True, "sms": True}
    reasons = {fixed["reason"] for fixed in shown["fixed"]}
    assert reasons == {"record", "one_time_code", "new_number"}
    assert session.get(Preference, person) is None


def test_a_change_leaves_what_it_does_not_name(session):
    person, hours = uuid4(), {"from": "21:30", "to": "00:00"}
    for change in (off("ticket_filed", "sms"), {"quiet_hours": hours}, {"digest": "weekly"}):
        wanted = schemas.ChangePreferences().load(change)
        preferences.change(session, person, wanted, DEFAULT_QUIET, now())
    session.commit()
    shown = preferences.answer(preferences.read(session, person), None, Texts(), "en")
    assert shown["purposes"]["ticket_filed"] == {"inbox": True, "email": True, "sms": False}
    assert (shown["quiet_hours"], shown["digest"]) == (hours, "weekly")


def test_who_speaks_first_of_something_else_keeps_the_quiet_hours(session):
    person = uuid4()
    wanted = schemas.ChangePreferences().load({"digest": "daily"})
    changed = preferences.change(session, person, wanted, DEFAULT_QUIET, now())
    assert changed.quiet_hours(None) == DEFAULT_QUIET


def test_what_cannot_be_turned_off_is_pointed_at(session):
    wanted = schemas.ChangePreferences().load(off("sign_in_code", "sms"))
    with pytest.raises(Invalid) as refusal:
        preferences.change(session, uuid4(), wanted, None, now())
    [fault] = refusal.value.errors
    assert (fault["pointer"], fault["code"]) == (
        "/purposes/sign_in_code/sms",
        "cannot_be_turned_off",
    )
    session.rollback()


def test_what_is_turned_off_is_not_sent_and_the_log_says_why(office, story, standin):
    office.prefer(story.reporter, **off("ticket_filed", "sms", "email"))
    office.hear(story.event("filed"))
    office.round()
    delivery = office.delivery(story.reporter)
    assert (delivery.state, delivery.reason) == (State.SKIPPED, Reason.TURNED_OFF)
    assert standin.texts(story.phone) == []


def test_who_turned_mail_off_gets_an_sms_although_they_left_an_address(office, story, standin):
    story.phone = office.residents.knows(story.reporter, email=an_address())
    office.prefer(story.reporter, **off("ticket_filed", "email"))
    office.hear(story.event("filed"))
    office.round()
    assert len(standin.texts(story.phone)) == 1


def test_a_choice_holds_for_what_was_waiting_already(office, story, standin):
    office.hear(story.event("filed"))
    standin.misbehave(status=500)
    office.round()
    standin.behave()
    office.prefer(story.reporter, **off("ticket_filed", "sms", "email"))
    office.round(now() + timedelta(minutes=1))
    assert office.delivery(story.reporter).reason == Reason.TURNED_OFF
    assert standin.texts(story.phone) == []


def test_at_night_an_sms_waits_for_the_morning_without_an_attempt(office, story, standin):
    office.prefer(story.reporter, **LATE)
    office.hear(story.event("filed", NIGHT), NIGHT)

    office.round(NIGHT)

    delivery = office.delivery(story.reporter)
    assert (delivery.state, delivery.reason) == (State.QUEUED, Reason.QUIET_HOURS)
    assert delivery.next_attempt_at == MORNING
    assert office.reasons(story.reporter) == []
    assert office.round(MORNING - timedelta(seconds=1)) == 0
    assert office.round(MORNING) == 1
    assert office.reasons(story.reporter) == ["delivered"]
    assert len(standin.texts(story.phone)) == 1


def test_in_the_morning_only_how_things_stand_is_told(office, story, standin):
    office.prefer(story.reporter, **LATE)
    for minutes, name in enumerate(("filed", "accepted", "assigned")):
        moment = NIGHT + timedelta(minutes=minutes)
        office.hear(story.event(name, moment), moment)
        office.round(moment)
    office.round(MORNING)
    [text] = standin.texts(story.phone)
    assert "已派给" in text


def test_what_is_urgent_rings_at_night(office, story, standin):
    office.prefer(story.reporter, **LATE)
    office.hear(story.event("filed", NIGHT, priority="urgent"), NIGHT)
    office.round(NIGHT)
    assert len(standin.texts(story.phone)) == 1


def test_mail_makes_no_noise_at_night(office, story, postbox):
    address = an_address()
    office.residents.knows(story.reporter, email=address)
    office.prefer(story.reporter, **LATE)
    office.hear(story.event("filed", NIGHT), NIGHT)
    office.round(NIGHT)
    assert len(postbox.items(address)) == 1


DAY = datetime(2026, 11, 4, 12, 0, tzinfo=ZONE)
NEXT_MORNING = datetime(2026, 11, 5, 8, 0, tzinfo=ZONE)


@pytest.fixture
def reader(office, story):
    """A reporter with an address who wants a digest each day."""
    story.address = an_address()
    office.residents.knows(story.reporter, email=story.address)
    office.prefer(story.reporter, at=DAY, digest="daily")
    return story.reporter


def test_a_digest_tells_together_what_is_not_urgent(office, story, reader, postbox):
    other = TicketStory(reporter=str(reader))
    for event in (story.event("filed", DAY), other.event("filed", DAY)):
        office.hear(event, DAY)
    office.round(DAY)
    assert postbox.items(story.address) == []

    office.round(NEXT_MORNING)

    [mail] = postbox.items(story.address)
    assert "2 条" in mail["subject"]
    for each in (story, other):
        assert each.facts["number"] in mail["text"]
        assert each.facts["number"] in mail["html"]
    delivery = office.delivery(reader)
    assert (delivery.state, delivery.reason) == (State.SKIPPED, Reason.IN_DIGEST)
    assert delivery.digest is not None
    wanted = schemas.HeldOn().load({"person": str(reader)})
    held = queries.held_on(office.session, wanted)
    told = [[message["purpose"] for message in item["deliveries"]] for item in held["items"]]
    assert told == [["ticket_filed", "digest"]] * 2
    assert held["preferences"]["digest"] == "daily"


def test_what_a_digest_told_no_other_message_tells_again(office, story, reader, postbox):
    office.hear(story.event("filed", DAY), DAY)
    for days in range(3):
        office.round(NEXT_MORNING + timedelta(days=days))
    assert len(postbox.items(story.address)) == 1


def test_what_is_urgent_does_not_wait_for_a_digest(office, story, reader, postbox):
    office.residents.knows(reader, phone=None, email=story.address)
    office.hear(story.event("filed", DAY, priority="urgent"), DAY)
    office.round(DAY)
    assert story.facts["number"] in postbox.subjects(story.address)[0]


def test_a_digest_goes_to_the_phone_of_who_left_no_address(office, story, reader, standin):
    phone = office.residents.knows(reader, email=None, locale="en")
    office.hear(story.event("filed", DAY), DAY)
    office.round(NEXT_MORNING)
    assert standin.texts(phone) == [
        "[Linli] 1 piece of news for you. Please sign in and open your inbox."
    ]


def test_who_wants_no_digest_any_more_gets_what_was_gathered(office, story, reader, postbox):
    office.hear(story.event("filed", DAY), DAY)
    later = DAY + timedelta(hours=1)
    office.prefer(reader, at=later, digest="off")
    office.round(later)
    assert len(postbox.items(story.address)) == 1
    office.hear(story.event("accepted", later), later)
    office.round(later)
    assert len(postbox.items(story.address)) == 2


def test_no_news_is_kept_for_a_digest_that_never_comes(office, engine, story, reader, postbox):
    with Session(engine) as telling:
        commands.tell(telling, story.event("filed", DAY), office.limits, DAY)
        office.session.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            office.prefer(reader, at=DAY, digest="off")
        office.session.rollback()
        telling.commit()
    office.prefer(reader, at=DAY, digest="off")
    office.round(DAY)

    assert len(postbox.items(story.address)) == 1


def test_a_long_digest_spells_out_the_newest_and_counts_the_rest(office, story, reader, postbox):
    for _ in range(25):
        office.hear(story.event("started", DAY), DAY)
    office.round(NEXT_MORNING)
    [mail] = postbox.items(story.address)
    assert mail["text"].count("- ") >= 20
    assert "还有更早的 5 条" in mail["text"]


def test_a_quiet_day_sends_no_digest(office, story, reader, postbox):
    office.round(NEXT_MORNING)
    assert postbox.items(story.address) == []
    assert office.session.get(Preference, reader).next_digest_at > NEXT_MORNING
