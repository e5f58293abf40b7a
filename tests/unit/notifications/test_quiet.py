"""When a telephone is left alone, and when a digest goes out."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.clock import ZONE, local
from services.notifications.quiet import (
    DEFAULT_QUIET,
    Digest,
    Quiet,
    next_digest,
    parse_quiet,
    quiet_until,
)

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
HOURS = st.times().map(lambda hour: hour.replace(second=0, microsecond=0))


def at(hour, minute=0, day=2):
    """That time of day on the wall; 2 November 2026 is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        (at(21, 59), None),
        (at(22), at(7, day=3)),
        (at(23, 59), at(7, day=3)),
        (at(0), at(7)),
        (at(6, 59), at(7)),
        (at(7), None),
        (at(12), None),
    ],
)
def test_a_telephone_is_left_alone_from_ten_to_seven(moment, until):
    assert quiet_until(DEFAULT_QUIET, moment.astimezone(UTC)) == until


@pytest.mark.parametrize(
    ("moment", "until"),
    [(at(12, 59), None), (at(13), at(15)), (at(14, 59), at(15)), (at(15), None)],
)
def test_quiet_hours_may_lie_within_a_day(moment, until):
    assert quiet_until(Quiet(time(13), time(15)), moment) == until


def test_midnight_is_a_time_of_day_like_any_other():
    assert quiet_until(Quiet(time(0), time(6)), at(0)) == at(6)
    assert quiet_until(Quiet(time(21), time(0)), at(23)) == at(0, day=3)


def test_who_wants_no_quiet_hours_has_none():
    assert quiet_until(None, at(3)) is None


@given(MOMENTS, HOURS, HOURS)
def test_after_quiet_hours_it_is_not_quiet(moment, start, end):
    assume(start != end)
    quiet = Quiet(start, end)
    until = quiet_until(quiet, moment)
    if until is not None:
        assert moment < until <= moment + timedelta(days=1)
        assert quiet_until(quiet, until) is None
        assert quiet_until(quiet, until - timedelta(minutes=1)) == until


def test_quiet_hours_are_written_as_people_say_them():
    assert parse_quiet("22:00-07:00") == DEFAULT_QUIET
    assert parse_quiet("none") is None


@pytest.mark.parametrize("text", ["", "22:00", "22-25:00", "07:00-07:00", "late"])
def test_what_are_no_quiet_hours_is_refused(text):
    with pytest.raises(ValueError):
        parse_quiet(text)


@pytest.mark.parametrize(
    ("how_often", "after", "then"),
    [
        (Digest.OFF, at(9), None),
        (Digest.DAILY, at(7, 59), at(8)),
        (Digest.DAILY, at(8), at(8, day=3)),
        (Digest.WEEKLY, at(7, 59), at(8)),
        (Digest.WEEKLY, at(8), at(8, day=9)),
        (Digest.WEEKLY, at(12, day=8), at(8, day=9)),
    ],
)
def test_a_digest_goes_out_in_the_morning_a_weekly_one_on_mondays(how_often, after, then):
    assert next_digest(how_often, after.astimezone(UTC)) == then


@given(MOMENTS, st.sampled_from([Digest.DAILY, Digest.WEEKLY]))
def test_the_next_digest_is_near_and_later(moment, how_often):
    then = next_digest(how_often, moment)
    assert moment < then <= moment + timedelta(days=1 if how_often is Digest.DAILY else 7)
    assert local(then).hour == 8
