"""Webhooks' rules: whom an event concerns, what follows from an attempt, how an endpoint fares."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.call import Actor, Call, Grant
from services.gateway.feed_rules import Filters, Selection, facts_of
from services.notifications.schedule import Schedule
from services.notifications.webhooks import health
from services.notifications.webhooks.event_types import EVENT_TYPES
from services.notifications.webhooks.health import Health
from services.notifications.webhooks.matching import Wish, concerns
from services.notifications.webhooks.outcome import Reason, Result, State, judge, reason_for

AT = datetime(2026, 11, 1, 8, tzinfo=UTC)
SCHEDULE = Schedule((5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0))
GOOD, BAD = Result(Reason.DELIVERED), Result(Reason.SERVER_ERROR)
CODES = st.sampled_from(["water", "roads", ""])
PLACES = st.sampled_from(
    ["340603008002", "340603008000", "340603008002.e1", "340603009001", "340600000000", "x", ""]
)
VALUES = st.one_of(CODES, st.none(), st.lists(CODES, max_size=2))


def test_every_event_there_is_can_be_asked_for():
    emitted = sorted(path.stem for path in Path("contracts/events").glob("*.json"))

    assert list(EVENT_TYPES) == emitted


@given(
    event_type=st.sampled_from(EVENT_TYPES),
    data=st.dictionaries(
        st.sampled_from(["department", "previous_department", "departments", "code", "area"]),
        st.one_of(VALUES, PLACES),
    ),
    department=st.one_of(st.none(), st.sampled_from(["water", "roads"])),
    types=st.sets(st.sampled_from(EVENT_TYPES), max_size=3),
    area=st.one_of(st.none(), PLACES),
)
def test_an_endpoint_gets_what_the_feed_would_show_its_owner(
    event_type, data, department, types, area
):
    reach = f"department:{department}" if department else "any"
    caller = Call(Actor("x", "department"), (Grant(reach, frozenset({"events.read"})),))
    feed = Selection.of(caller, Filters(types=tuple(types), area=area))
    event = {"type": event_type, "subject": "s", "data": data}

    ours = concerns(Wish(department, frozenset(types), area), event_type, data)

    assert ours == feed.admits(facts_of(event))


def test_a_department_that_loses_a_ticket_hears_that_and_nothing_after():
    assigned, started = (f"linli.tickets.ticket_{name}.v1" for name in ("assigned", "started"))
    loses = {"department": "roads", "previous_department": "water"}

    assert concerns(Wish("water"), assigned, loses)
    assert not concerns(Wish("water"), started, {"department": "roads"})


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (200, "delivered"),
        (204, "delivered"),
        (299, "delivered"),
        (301, "redirected"),
        (304, "redirected"),
        (400, "client_error"),
        (404, "client_error"),
        (410, "gone"),
        (429, "throttled"),
        (500, "server_error"),
        (503, "throttled"),
    ],
)
def test_only_2xx_is_success(status, reason):
    assert reason_for(status) == reason


def test_the_schedule_is_that_of_the_standard():
    pauses, failures = [], 0
    while (verdict := judge(BAD, failures, SCHEDULE, AT, chance=0.5)).next_attempt_at:
        pauses.append((verdict.next_attempt_at - AT).total_seconds())
        failures = verdict.failures

    assert pauses == [5, 300, 1800, 7200, 18000, 36000, 36000]
    assert verdict.state is State.FAILED


@given(chance=st.floats(0, 1, exclude_max=True), failures=st.integers(0, 6))
def test_a_retry_comes_a_fifth_sooner_or_later_at_most(chance, failures):
    verdict = judge(BAD, failures, SCHEDULE, AT, chance)

    delay = SCHEDULE.delays[failures]
    assert abs((verdict.next_attempt_at - AT).total_seconds() - delay) <= delay * 0.2 + 1e-3


def test_a_receiver_s_patience_is_kept():
    throttled = Result(Reason.THROTTLED, retry_after=3600.0)

    assert judge(throttled, 0, SCHEDULE, AT, 0.5).next_attempt_at == AT + timedelta(hours=1)


def fails(times: int) -> Health:
    found = Health()
    for _ in range(times):
        found = health.after(found, BAD, probing=True, at=AT)
    return found


def test_the_breaker_opens_after_five_failures_in_a_row():
    assert fails(4).probe_at is None
    assert fails(5).probe_at == AT + timedelta(seconds=5)


def test_probes_come_at_growing_intervals_up_to_five_minutes():
    waits = [(fails(5 + number).probe_at - AT).total_seconds() for number in range(9)]

    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_the_first_success_closes_it():
    assert health.after(fails(9), GOOD, probing=True, at=AT) == Health()


def test_what_was_on_its_way_when_it_opened_delays_no_probe():
    assert health.after(fails(5), BAD, probing=False, at=AT) == fails(5)


@pytest.mark.parametrize(
    ("found", "in_hand", "tokens", "expected"),
    [
        (Health(), 0, 100, 8),
        (Health(), 3, 100, 5),
        (Health(), 9, 100, 0),
        (Health(), 0, 2.9, 2),
        (Health(), 0, 0.9, 0),
        (fails(1), 0, 100, 2),
        (fails(1), 2, 100, 0),
        (fails(5), 0, 100, 0),
    ],
)
def test_how_many_may_be_begun(found, in_hand, tokens, expected):
    begun = health.allowance(found, most=8, in_hand=in_hand, tokens=tokens, at=AT)

    assert begun == expected


def test_a_probe_is_one():
    later = AT + timedelta(seconds=5)

    assert health.allowance(fails(5), most=8, in_hand=0, tokens=100, at=later) == 1
    assert health.allowance(fails(5), most=8, in_hand=1, tokens=100, at=later) == 0


@given(
    rate=st.integers(1, 60_000),
    steps=st.lists(st.floats(0, 120), min_size=1, max_size=30),
)
def test_a_rate_is_never_exceeded(rate, steps):
    tokens, at, sent = 1.0, AT, 0
    for step in steps:
        later = at + timedelta(seconds=step)
        tokens = health.refill(tokens, at, rate, later)
        at, sent, tokens = later, sent + int(tokens), tokens - int(tokens)

    # In any time no more than its share, and one second's worth that had gathered.
    assert sent <= sum(steps) * rate / 60 + max(1.0, rate / 60) + 1


@given(rate=st.integers(1, 60_000), tokens=st.floats(0, 1, exclude_max=True))
def test_an_empty_bucket_says_when_it_has_a_token_again(rate, tokens):
    ready = health.ready_at(tokens, rate, AT)

    assert health.refill(tokens, AT, rate, ready + timedelta(microseconds=1)) >= 0.999


def test_five_days_of_failure_disable():
    patience = timedelta(days=5)
    failing = Health(failures=9, failing_since=AT)

    assert health.ended(failing, BAD, patience, AT + timedelta(days=4)) is None
    assert health.ended(failing, BAD, patience, AT + patience) == "failing"
    assert health.ended(Health(), Result(Reason.GONE), patience, AT) == "gone"
