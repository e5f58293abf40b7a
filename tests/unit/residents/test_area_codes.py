"""What area codes say: levels, ancestors, routing keys, and which place lies in which."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.residents import area_codes
from services.residents.area_codes import LEVELS, MalformedCode

NUMBER = st.integers(1, 99999)


@st.composite
def codes(draw: st.DrawFn) -> str:
    """Any well-formed code: official levels first, then an ascending choice of local parts."""
    district = str(draw(st.integers(100_000, 999_999)))
    depth = draw(st.sampled_from(["district", "sub_district", "community", "local"]))
    if depth == "district":
        return f"{district}000000"
    sub_district = f"{draw(st.integers(1, 999)):03}"
    if depth == "sub_district":
        return f"{district}{sub_district}000"
    community = f"{district}{sub_district}{draw(st.integers(1, 999)):03}"
    if depth == "community":
        return community
    letters = [letter for letter in "egbu" if draw(st.booleans())]
    return ".".join([community, *(f"{letter}{draw(NUMBER)}" for letter in letters)])


@pytest.mark.parametrize(
    ("code", "level", "parent", "routing"),
    [
        ("340603000000", "district", None, "340603"),
        ("340603008000", "sub_district", "340603000000", "340603.008"),
        ("340603008002", "community", "340603008000", "340603.008.002"),
        ("340603008002.e1", "estate", "340603008002", "340603.008.002.e1"),
        ("340603008002.e1.g2", "grid", "340603008002.e1", "340603.008.002.e1.g2"),
        ("340603008002.e1.g2.b3", "building", "340603008002.e1.g2", "340603.008.002.e1.g2"),
        ("340603008002.e1.g2.b3.u2", "unit", "340603008002.e1.g2.b3", "340603.008.002.e1.g2"),
        # Levels may be missing: a street grid, an old house that belongs to no estate.
        ("340603008002.g7", "grid", "340603008002", "340603.008.002.g7"),
        ("340603008002.b12.u1", "unit", "340603008002.b12", "340603.008.002"),
        # A city without districts: its code ends in 00 where others have the district.
        ("441900000000", "district", None, "441900"),
        ("441900003000", "sub_district", "441900000000", "441900.003"),
    ],
)
def test_a_code_tells_its_level_its_parent_and_its_routing_key(code, level, parent, routing):
    assert area_codes.level(code) == level
    assert area_codes.parent(code) == parent
    assert area_codes.routing(code) == routing


def test_the_path_names_every_place_from_the_district_down():
    assert area_codes.path("340603008002.e1.g2.b3.u2") == [
        "340603000000",
        "340603008000",
        "340603008002",
        "340603008002.e1",
        "340603008002.e1.g2",
        "340603008002.e1.g2.b3",
        "340603008002.e1.g2.b3.u2",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "340603",
        "34060300800",
        "3406030080020",
        "040603008002",
        "340603000002",
        "340603008002.",
        "340603008002.x1",
        "340603008002.e",
        "340603008002.e0",
        "340603008002.e01",
        "340603008002.e100000",
        "340603008002.E1",
        "340603008002.g1.e1",
        "340603008002.e1.e2",
        "340603008002.e1..g2",
        "340603008002.e1\n",
        " 340603008002",
        "340603008000.g1",
        "340603000000.e1",
        "３４０６０３００８００２",
        "340603008002.e１",
    ],
)
def test_what_is_no_code_is_refused(code):
    with pytest.raises(MalformedCode):
        area_codes.level(code)


@given(st.text(max_size=40))
def test_any_text_is_either_a_code_or_refused(text):
    with suppress(MalformedCode):
        assert area_codes.level(text) in LEVELS


@given(codes())
def test_a_path_ends_with_the_code_and_each_place_in_it_is_the_parent_of_the_next(code):
    path = area_codes.path(code)

    assert path[-1] == code
    assert [area_codes.parent(place) for place in path] == [None, *path[:-1]]


@given(codes())
def test_levels_only_go_down_along_a_path(code):
    depths = [LEVELS.index(area_codes.level(place)) for place in area_codes.path(code)]

    assert depths == sorted(set(depths))


@given(codes(), codes())
def test_a_place_contains_exactly_what_has_it_in_its_path(outer, inner):
    assert area_codes.contains(outer, inner) == (outer in area_codes.path(inner))


@given(codes())
def test_a_place_lies_in_itself_and_in_all_its_ancestors(code):
    assert all(area_codes.contains(place, code) for place in area_codes.path(code))


def test_the_first_estate_does_not_contain_the_tenth():
    assert not area_codes.contains("340603008002.e1", "340603008002.e10")
    assert not area_codes.contains("340603008002", "340603008003")


def test_a_place_with_a_level_left_out_does_not_lie_in_one_that_has_it():
    assert not area_codes.contains("340603008002.e1", "340603008002.g1")


@given(codes(), codes())
def test_equal_tree_keys_mean_equal_codes(one, other):
    assert (area_codes.tree_key(one) == area_codes.tree_key(other)) == (one == other)


def test_tree_keys_sort_buildings_by_number_right_after_what_holds_them():
    in_order = [
        "340603000000",
        "340603008000",
        "340603008002",
        "340603008002.e1",
        "340603008002.e1.g1.b2",
        "340603008002.e1.g1.b10",
        "340603008002.e2",
        "340603008002.e10",
        "340603008003",
    ]

    assert sorted(in_order, key=area_codes.tree_key) == in_order


@given(codes())
def test_routing_keys_have_only_segments_that_the_broker_permissions_allow(code):
    segments = area_codes.routing(code).split(".")

    assert 1 <= len(segments) <= 5
    assert all(segment.isascii() and segment.isalnum() for segment in segments)
    assert not any(segment[0] in "bu" for segment in segments)
