"""When a move counts as having happened."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from services.tickets.moments import moment
from tests.unit.tickets.builders import NOON

HOUR = timedelta(hours=1)


def test_a_move_happens_when_it_is_called_for() -> None:
    assert moment(NOON, NOON + HOUR, None, chosen=False) == NOON


def test_an_importer_says_when_it_happened() -> None:
    assert moment(NOON - 99 * HOUR, NOON, NOON - 100 * HOUR, chosen=True) == NOON - 99 * HOUR


@pytest.mark.parametrize(
    ("said", "code"), [(NOON + HOUR, "in_the_future"), (NOON - 2 * HOUR, "before_last_move")]
)
def test_an_importer_cannot_say_what_cannot_be(said: datetime, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        moment(said, NOON, NOON - HOUR, chosen=True)

    assert refused.value.errors[0]["pointer"] == "/occurred_at"
    assert refused.value.errors[0]["code"] == code


def test_a_call_that_another_overtook_counts_as_of_the_other() -> None:
    overtaken = NOON - timedelta(milliseconds=3)

    assert moment(overtaken, NOON + HOUR, NOON, chosen=False) == NOON


def test_a_clock_set_back_by_an_hour_stops_nobody() -> None:
    assert moment(NOON - HOUR, NOON - HOUR, NOON, chosen=False) == NOON - HOUR


EARLY = NOON.replace(year=2020, tzinfo=None)
LATE = NOON.replace(year=2030, tzinfo=None)
MOMENTS = st.datetimes(EARLY, LATE, timezones=st.just(UTC))


@given(MOMENTS, MOMENTS, MOMENTS)
def test_no_move_is_after_now_nor_before_the_last_that_is_not_itself_ahead(
    said: datetime, now: datetime, last: datetime
) -> None:
    at = moment(said, now, last, chosen=False)

    assert at <= now
    assert at >= min(last, now)
