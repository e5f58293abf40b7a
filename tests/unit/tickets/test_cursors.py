"""Cursors of lists."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from chassis.ids import new_id
from services.tickets import cursors
from tests.unit.tickets.builders import NOON

EARLY = NOON.replace(year=1900, tzinfo=None)
LATE = NOON.replace(year=9000, tzinfo=None)


@given(st.datetimes(EARLY, LATE, timezones=st.just(UTC)))
def test_a_cursor_says_where_a_page_ended_to_the_microsecond(moment: datetime) -> None:
    ticket = str(new_id())

    assert cursors.read(cursors.after("-filed_at", moment, ticket), "-filed_at") == (moment, ticket)


def test_a_cursor_of_another_order_is_refused() -> None:
    cursor = cursors.after("-filed_at", NOON, str(new_id()))

    with pytest.raises(Invalid):
        cursors.read(cursor, "filed_at")


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "====",
        "漏水",
        encoded([]),
        encoded({}),
        encoded(3),
        encoded(["-filed_at", "2026-11-01", "01a20165-9d6a-7483-bde6-a9e23fc436be"]),
        encoded(["-filed_at", "yesterday", "01a20165-9d6a-7483-bde6-a9e23fc436be"]),
        encoded(["-filed_at", NOON.isoformat(), "1"]),
        encoded(["-filed_at", 7, 7]),
        encoded([["-filed_at"], NOON.isoformat(), "01a20165-9d6a-7483-bde6-a9e23fc436be"]),
    ],
)
def test_what_is_no_cursor_is_refused_naming_the_field(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        cursors.read(cursor, "-filed_at")

    assert refused.value.errors[0]["pointer"] == "/after"


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_cursors(cursor: str) -> None:
    with pytest.raises(Invalid):
        cursors.read(cursor, "-filed_at")


@pytest.mark.parametrize("cursor", ["", "-1", "1.5", "x", "٣", "1" * 10])
def test_what_is_no_sequence_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        cursors.read_sequence(cursor)


def test_a_list_of_entries_starts_at_its_beginning() -> None:
    assert cursors.read_sequence(None) == 0
    assert cursors.read_sequence(cursors.after_sequence(7)) == 7
