"""What official names and codes say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.residents import official_names


@pytest.mark.parametrize(
    ("name", "short", "alias"),
    [
        ("陈庄社区居民委员会", "陈庄社区", "陈庄"),
        ("多福巷社区居委会", "多福巷社区", "多福巷"),
        ("光明居委会", "光明社区", "光明"),
        ("李庄村委会", "李庄村", "李庄"),
        ("李家村村民委员会", "李家村", "李家"),
        ("阳光社区", "阳光社区", "阳光"),
        ("东华门街道", "东华门街道", "东华门"),
        ("城关镇", "城关镇", "城关"),
        ("杜集区", "杜集区", "杜集"),
        ("北京市", "北京市", "北京"),
        ("城区", "城区", "城区"),
        ("村委会", "村委会", "村委会"),
    ],
)
def test_a_place_is_called_without_its_committee_and_without_its_kind(name, short, alias):
    assert official_names.short(name) == short
    assert official_names.alias(name) == alias


@given(st.text(min_size=1))
def test_whoever_looks_for_a_name_and_for_its_alias_looks_for_the_same(name):
    assert official_names.short(name)
    assert name.startswith(official_names.alias(name)[:1])


@pytest.mark.parametrize(
    ("code", "prefix", "above"),
    [
        ("340000000000", "34", []),
        ("340600000000", "3406", ["340000000000"]),
        ("340603000000", "340603", ["340000000000", "340600000000"]),
        (
            "340603008002",
            "340603008002",
            ["340000000000", "340600000000", "340603000000", "340603008000"],
        ),
    ],
)
def test_a_code_says_what_lies_in_a_place_and_around_it(code, prefix, above):
    assert official_names.prefix(code) == prefix
    assert official_names.ancestors(code) == above


def test_nothing_official_lies_below_a_community():
    code = "340603008002.e1.b3"

    assert official_names.prefix(code) == code
