"""When to try again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.schedule import Schedule, next_attempt, parse_delays

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SCHEDULE = Schedule((5.0, 30.0, 120.0))


def test_a_schedule_is_written_as_people_say_it():
    assert parse_delays("5s 30s 2m, 1h 1.5d") == (5, 30, 120, 3600, 129600)


@pytest.mark.parametrize("text", ["", "  ", "5", "5 s", "-5s", "0s", "5w", "fast", "5s;6s"])
def test_what_is_no_schedule_is_refused(text):
    with pytest.raises(ValueError):
        parse_delays(text)


def test_each_failure_waits_longer_than_the_one_before():
    waits = [next_attempt(SCHEDULE, failures, NOON, chance=0.5) for failures in (1, 2, 3)]
    assert waits == [NOON + timedelta(seconds=delay) for delay in (5, 30, 120)]


def test_after_the_last_delay_it_is_given_up():
    assert next_attempt(SCHEDULE, 4, NOON, chance=0.5) is None


def test_an_endless_schedule_repeats_its_last_delay():
    endless = Schedule((1.0, 60.0), endless=True)
    assert next_attempt(endless, 1000, NOON, chance=0.5) == NOON + timedelta(seconds=60)


@given(failures=st.integers(1, 3), chance=st.floats(0, 1, exclude_max=True))
def test_jitter_spreads_a_delay_by_a_fifth_at_most(failures, chance):
    delay = SCHEDULE.delays[failures - 1]

    again = next_attempt(SCHEDULE, failures, NOON, chance=chance)

    assert again is not None
    # A microsecond of rounding either way.
    assert 0.8 * delay - 1e-6 <= (again - NOON).total_seconds() <= 1.2 * delay + 1e-6


def test_a_provider_that_asks_for_patience_gets_it():
    again = next_attempt(SCHEDULE, 1, NOON, chance=0.5, not_before=60)
    assert again == NOON + timedelta(seconds=60)


def test_a_provider_that_asks_for_less_patience_than_we_have_gets_ours():
    again = next_attempt(SCHEDULE, 2, NOON, chance=0.5, not_before=1)
    assert again == NOON + timedelta(seconds=30)


def test_patience_does_not_outlive_the_schedule():
    assert next_attempt(SCHEDULE, 4, NOON, chance=0.5, not_before=60) is None
