"""Who is told what."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.news import (
    PHONE_CHANGED,
    STEPS,
    TABLE,
    Audience,
    Channel,
    PhoneFacts,
    Telling,
    TicketFacts,
    tellings,
)
from services.notifications.service import NotificationsService

REPORTER, ASSIGNEE, PREVIOUS, SOMEBODY = uuid4(), uuid4(), uuid4(), uuid4()
FACTS = TicketFacts(
    ticket=uuid4(),
    number="20260101-000001",
    reporter=REPORTER,
    assignee=ASSIGNEE,
    previous_assignee=PREVIOUS,
    department="water",
    actor=str(SOMEBODY),
)
SMS_STEPS = (
    "filed",
    "accepted",
    "refused",
    "assigned",
    "started",
    "resolved",
    "reopened",
    "closed",
)


def told(event: str, facts: TicketFacts = FACTS) -> set[tuple[UUID, str]]:
    name = f"linli.tickets.ticket_{event}.v1"
    return {(telling.person, telling.purpose) for telling in tellings(name, facts)}


@pytest.mark.parametrize(
    "event",
    ["sent_back", "withdrawn", *SMS_STEPS],
)
def test_the_reporter_is_told_of_every_step(event):
    assert (REPORTER, f"ticket_{event}") in told(event)


@pytest.mark.parametrize("event", SMS_STEPS)
def test_the_steps_that_a_reporter_waits_for_go_by_mail_or_else_by_sms(event):
    name = f"linli.tickets.ticket_{event}.v1"
    by = {telling.purpose: telling.also for telling in tellings(name, FACTS)}
    assert by[f"ticket_{event}"] == (Channel.EMAIL, Channel.SMS)


def test_what_is_urgent_goes_to_the_phone_first():
    urgent = replace(FACTS, urgent=True)
    [told] = [
        each
        for each in tellings("linli.tickets.ticket_resolved.v1", urgent)
        if each.person == REPORTER
    ]
    assert (told.also, told.urgent) == ((Channel.SMS, Channel.EMAIL), True)


def test_nobody_gets_an_sms_but_a_reporter_and_whose_number_was_changed():
    texted = {row.audience for row in TABLE if Channel.SMS in row.also}
    assert texted == {Audience.REPORTER, Audience.RESIDENT}


def test_whose_number_was_changed_is_told_at_once_by_sms_alone():
    facts = PhoneFacts(resident=SOMEBODY, change=uuid4())
    assert list(tellings(PHONE_CHANGED, facts)) == [
        Telling(SOMEBODY, "phone_changed", (Channel.SMS,), urgent=True)
    ]


@given(st.sampled_from(sorted({row.event for row in TABLE} - {PHONE_CHANGED})), st.data())
def test_one_event_tells_nobody_twice_whoever_is_who(event, data):
    people = st.sampled_from([None, REPORTER, ASSIGNEE, PREVIOUS])
    facts = replace(
        FACTS,
        reporter=data.draw(people),
        assignee=data.draw(people),
        previous_assignee=data.draw(people),
        actor=str(data.draw(people)),
    )

    told = [each.person for each in tellings(event, facts)]

    assert len(told) == len(set(told))


def test_a_reporter_who_is_given_the_ticket_is_told_what_to_do():
    mine = replace(FACTS, assignee=REPORTER)
    assert (REPORTER, "task_assigned") in told("assigned", mine)
    assert (REPORTER, "ticket_assigned") not in told("assigned", mine)


def test_an_assignment_is_told_to_who_has_it_now_and_who_had_it_before():
    assert told("assigned") == {
        (REPORTER, "ticket_assigned"),
        (ASSIGNEE, "task_assigned"),
        (PREVIOUS, "task_moved"),
    }


def test_an_assignee_who_keeps_the_ticket_has_not_lost_it():
    kept = replace(FACTS, previous_assignee=ASSIGNEE)
    assert (ASSIGNEE, "task_moved") not in told("assigned", kept)


def test_an_anonymous_ticket_tells_no_reporter():
    assert told("filed", replace(FACTS, reporter=None)) == set()


def test_a_ticket_with_a_department_only_tells_no_assignee():
    alone = replace(FACTS, assignee=None, previous_assignee=None)
    assert told("assigned", alone) == {(REPORTER, "ticket_assigned")}


def test_who_assigns_a_ticket_to_themselves_is_not_told_so():
    mine = replace(FACTS, actor=str(ASSIGNEE))
    assert (ASSIGNEE, "task_assigned") not in told("assigned", mine)


def test_who_files_a_request_gets_a_receipt_for_their_own_doing():
    mine = replace(FACTS, actor=str(REPORTER))
    assert told("filed", mine) == {(REPORTER, "ticket_filed")}


def test_the_reporter_is_told_of_a_public_comment():
    public = replace(FACTS, comment_visibility="public")
    assert told("commented", public) == {(REPORTER, "ticket_commented")}


def test_nobody_is_told_of_an_internal_comment():
    assert told("commented", replace(FACTS, comment_visibility="internal")) == set()


def test_a_comment_of_an_unknown_visibility_is_told_to_nobody():
    assert told("commented", replace(FACTS, comment_visibility="among_lawyers")) == set()


def test_nobody_is_told_of_their_own_comment():
    mine = replace(FACTS, actor=str(REPORTER), comment_visibility="public")
    assert told("commented", mine) == set()


def test_an_event_that_is_not_in_the_table_tells_nobody():
    assert told("painted") == set()


def test_a_comment_makes_no_earlier_news_stale_and_every_other_event_of_a_ticket_does():
    asides = {"linli.tickets.ticket_commented.v1", PHONE_CHANGED}
    assert {row.event for row in TABLE} - STEPS == asides


def test_the_service_consumes_every_event_of_the_table():
    consumed = {
        event_type
        for name in dir(NotificationsService)
        # Webhooks get every event there is, and who works for a department is told of theirs.
        if name not in ("on_any_event", "on_duty_changed")
        for entrypoint in getattr(getattr(NotificationsService, name), "nameko_entrypoints", ())
        for event_type in getattr(entrypoint, "types", ())
    }
    kept = {"department_added", "department_changed", "resident_erased"}
    told_of = {each for each in consumed if each.split(".")[2] not in kept}
    assert {row.event for row in TABLE} == told_of


def test_no_row_stands_in_the_table_twice():
    rows = [(row.event, row.audience, row.purpose) for row in TABLE]
    assert len(rows) == len(set(rows))
