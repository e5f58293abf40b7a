"""Where a household lies, by its area's code alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.residents import area_codes, placement

COMMUNITY = "340603008002"


def codes():
    """Any place of a community, or the community itself."""
    numbers = st.integers(1, 99)
    parts = [
        st.one_of(st.just(""), numbers.map(lambda number, letter=letter: f".{letter}{number}"))
        for letter in "egbu"
    ]
    return st.tuples(*parts).map(lambda below: COMMUNITY + "".join(below))


@pytest.mark.parametrize(
    ("below", "grid", "building"),
    [
        (".e1.g2.b3.u4", ".e1.g2", ".e1.g2.b3"),
        (".e1.g2.b3", ".e1.g2", ".e1.g2.b3"),
        (".g7", ".g7", None),
        (".e1.b3", None, ".e1.b3"),
        ("", None, None),
    ],
)
def test_a_household_lies_in_the_grid_and_the_building_of_its_path(below, grid, building):
    found = [placement.place(COMMUNITY + below, level) for level in ("grid", "building")]

    assert found == [part and COMMUNITY + part for part in (grid, building)]


@pytest.mark.parametrize(
    ("below", "lacking"),
    [
        (".e1.g2.b3.u4", []),
        (".e1.g2", [("building", ".e1.g2")]),
        (".e1.b3", [("grid", ".e1")]),
        (".e1.u3", [("grid", ".e1"), ("building", ".e1")]),
        (".b3", [("grid", "")]),
        ("", [("grid", ""), ("building", "")]),
    ],
)
def test_a_tier_may_be_lacking_only_where_there_is_none_of_it(below, lacking):
    found = list(placement.lacking(COMMUNITY + below))

    assert found == [(level, COMMUNITY + part) for level, part in lacking]


@given(codes())
def test_of_each_tier_a_household_has_one_place_around_it_or_a_place_without_any(code):
    lacking = dict(placement.lacking(code))

    for level in placement.TIERS:
        around = placement.place(code, level) or lacking[level]
        assert area_codes.contains(around, code)
        assert (level in lacking) == (area_codes.level(around) != level)


@pytest.mark.parametrize(
    ("code", "wide"),
    [
        ("340603000000", True),
        ("340603008000", True),
        (COMMUNITY, False),
        (f"{COMMUNITY}.e1", False),
    ],
)
def test_no_door_is_above_a_community(code, wide):
    assert placement.is_wide(code) is wide
