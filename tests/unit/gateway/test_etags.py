"""Entity tags, and what If-Match and If-None-Match say."""

import pytest

from services.gateway.etags import etag_of, matches, version_in


def test_a_tickets_tag_begins_with_its_version():
    assert etag_of({"version": 7, "id": "x"}).startswith('"7-')


def test_any_other_tag_is_only_a_digest():
    assert "-" not in etag_of({"code": "water"})


def test_the_order_of_members_does_not_matter():
    assert etag_of({"a": 1, "b": 2}) == etag_of({"b": 2, "a": 1})


def test_a_change_of_anything_changes_the_tag():
    assert etag_of({"version": 1, "a": 1}) != etag_of({"version": 1, "a": 2})


@pytest.mark.parametrize("header", ['"1-ab"', 'W/"1-ab"', '"x", "1-ab"', "*", ' "1-ab" '])
def test_a_header_that_names_the_tag_matches(header):
    assert matches(header, '"1-ab"')


@pytest.mark.parametrize("header", ['"1"', '"1-a"', "1-ab", "", '"2-ab"'])
def test_a_header_that_does_not_name_it_does_not(header):
    assert not matches(header, '"1-ab"')


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ('"7-abcdef"', 7),
        ('"7"', 7),
        ('W/"7-abcdef"', 7),
        ('"7-a-b"', 7),
        ('"3-a", "7-b"', 7),
        (None, None),
        ("", None),
        ("*", None),
        ("7", 0),
        ('"abc"', 0),
        ('"-7"', 0),
        ('"99999999999999999999"', 0),
    ],
)
def test_the_version_is_the_part_before_the_dash(header, version):
    assert version_in(header) == version
