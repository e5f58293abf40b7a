"""Ticket numbers."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tickets import numbers


def test_the_day_is_that_of_the_wall_clock_in_china() -> None:
    before_midnight = datetime(2026, 10, 31, 15, 59, 59, tzinfo=UTC)
    midnight = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)

    assert numbers.day_of(before_midnight) == date(2026, 10, 31)
    assert numbers.day_of(midnight) == date(2026, 11, 1)


def test_numbers_of_a_day_start_at_its_base() -> None:
    assert numbers.number(date(2026, 11, 1), drawn=4711, base=4710) == "20261101-000001"


@given(st.dates(min_value=date(1900, 1, 1)), st.integers(0, 10**12), st.integers(1, 10**7))
def test_every_number_has_the_form_of_one(day: date, base: int, further: int) -> None:
    assert numbers.is_number(numbers.number(day, base + further, base))


@given(st.integers(0, 10**12), st.sets(st.integers(1, 10**6), min_size=2, max_size=50))
def test_a_days_numbers_differ(base: int, drawn: set[int]) -> None:
    day = date(2026, 11, 1)

    assert len({numbers.number(day, base + one, base) for one in drawn}) == len(drawn)


@pytest.mark.parametrize(
    "text", ["", "20261101", "20261101-", "20261101-00001", "20261101-0000001", "20261101-٠٠٠٠٠١"]
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert not numbers.is_number(text)


@pytest.mark.parametrize(
    ("text", "may_be"),
    [
        ("2026", True),
        ("20261101", True),
        ("20261101-", True),
        ("20261101-0000", True),
        ("3", False),
        ("110", False),
        ("202611011", False),
        ("漏水", False),
        ("2026-11", False),
    ],
)
def test_how_a_number_may_begin(text: str, may_be: bool) -> None:
    assert numbers.is_beginning(text) is may_be
