"""Reading JSON strictly."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from services.gateway.bodies import (
    BrokenJson,
    WrongMediaType,
    check_media_type,
    check_text,
    parse,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(st.characters(
        exclude_categories=["Cs"], exclude_characters="\0"
    )),
    lambda below: st.lists(below, max_size=3)
    | st.dictionaries(st.text("abc/~", max_size=3), below, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(VALUES)
def test_clean_json_is_read_as_it_is(value):
    assert parse(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1,}',
        b"nothing",
        b'{"a": NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e999]",
        b'{"a": 1, "a": 2}',
        b"[" + b"9" * 5000 + b"]",
        b"[0." + b"1" * 5000 + b"]",
        b"\xff\xfe",
        b'{"a": "\xc3"}',
        b"[" * 100_000,
        b"[" * 40 + b"]" * 40,
        b'{"a": 1} {"b": 2}',
        b"'single'",
        b"\xef\xbb\xbf{}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_clean_json_is_refused(body):
    with pytest.raises(BrokenJson):
        parse(body)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_lead_to_any_other_error(body):
    with suppress(BrokenJson, Invalid):
        parse(body)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (rb'{"a": {"b": ["x", "\u0000"]}}', "/a/b/1"),
        (rb'{"a": "\ud800"}', "/a"),
        (rb'{"a/b": "\udfff"}', "/a~1b"),
        (rb'{"\u0000": 1}', ""),
        (rb'"\u0000"', ""),
    ],
)
def test_text_that_cannot_be_stored_is_pointed_at(body, pointer):
    with pytest.raises(Invalid) as refused:
        parse(body)

    assert [fault["pointer"] for fault in refused.value.errors] == [pointer]
    assert refused.value.errors[0]["code"] == "invalid_text"


def test_a_pair_of_surrogates_is_a_character():
    assert parse(rb'"\ud83d\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/merge-patch+json",
        'application/json; charset="utf-8"',
    ],
)
def test_json_in_utf_8_is_a_good_media_type(content_type):
    check_media_type(content_type)


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk",
     "application/jsonp", "multipart/form-data; boundary=x"],
)  # fmt: skip
def test_any_other_media_type_is_refused(content_type):
    with pytest.raises(WrongMediaType):
        check_media_type(content_type)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_parameter_that_cannot_be_stored_is_refused(text):
    with pytest.raises(Invalid) as refused:
        check_text("q", text)

    assert refused.value.errors[0]["pointer"] == "/q"
