"""Cursors of lists."""

import base64
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from services.residents import paging


def test_a_cursor_leads_back_to_the_key_it_was_made_of():
    person = UUID("019a0000-0000-7000-8000-000000000001")

    cursor = paging.encode([3, "340603.008.", person])

    assert paging.decode(cursor, int, paging.text, UUID) == (3, "340603.008.", person)


def test_no_cursor_is_the_beginning():
    assert paging.decode(None, paging.text) is None


@pytest.mark.parametrize(
    "key", ["[]", "[1, 2]", "{}", '["\\u0000"]', '["\\ud800"]', "null", '"a"', "3", "["]
)
def test_a_cursor_of_another_shape_is_refused(key):
    cursor = base64.urlsafe_b64encode(key.encode()).decode()

    with pytest.raises(Invalid) as refused:
        paging.decode(cursor, paging.text)

    assert refused.value.errors[0]["pointer"] == "/after"


@given(st.text())
def test_any_text_is_either_a_cursor_or_refused(text):
    with suppress(Invalid):
        paging.decode(text, paging.text)


def test_the_row_too_many_only_says_that_there_are_more():
    page = paging.page(["a", "b", "c"], 2, list, str.upper)

    assert page["items"] == ["A", "B"]
    assert paging.decode(page["next"], paging.text) == ("b",)
    assert paging.page(["a", "b"], 2, list, str.upper)["next"] is None
