"""The category tree that ships, and what a file of one must be like."""

import re

import pytest

from chassis.errors import Invalid
from services.tickets.categories import TREE, Category, parse

DEPARTMENTS = {
    "water",
    "power",
    "gas",
    "heating",
    "roads",
    "sanitation",
    "greening",
    "property",
    "police",
    "enforcement",
    "fire",
    "health",
    "civil_affairs",
    "housing",
    "telecom",
    "market",
    "environment",
    "transport",
    "education",
    "social_security",
}
GROUPS = [category for category in TREE if category.parent is None]
LEAVES = [category for category in TREE if category.parent is not None]


def test_it_has_about_fourteen_groups_and_seventy_leaves() -> None:
    assert len(GROUPS) == 14
    assert 65 <= len(LEAVES) <= 80


@pytest.mark.parametrize("category", list(TREE), ids=lambda category: category.code)
def test_every_category_has_a_stable_code_and_a_name_in_both_languages(category: Category) -> None:
    assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)?", category.code)
    assert re.search(r"[\u4e00-\u9fff]", category.names["zh"])
    assert category.names["en"].isprintable()
    assert category.names["en"][0].isupper()


@pytest.mark.parametrize("category", LEAVES, ids=lambda category: category.code)
def test_every_leaf_says_who_and_how_soon(category: Category) -> None:
    assert category.department is None or category.department in DEPARTMENTS
    assert 0 < (category.response_hours or 0) <= (category.resolution_hours or 0)
    assert TREE.leaf(category.code) is category


def test_every_department_has_something_to_do() -> None:
    assert {leaf.department for leaf in LEAVES} - {None} == DEPARTMENTS


def test_names_of_the_same_language_differ() -> None:
    for language in ("zh", "en"):
        names = [category.names[language] for category in TREE]
        assert len(set(names)) == len(names)


def test_what_may_harm_somebody_is_answered_within_an_hour() -> None:
    emergencies = [leaf for leaf in LEAVES if leaf.emergency]

    assert {leaf.code for leaf in emergencies} >= {"energy.gas_leak", "roads.manhole_cover"}
    assert {leaf.response_hours for leaf in emergencies} == {1}


def test_a_group_stands_for_its_leaves_in_searches() -> None:
    assert TREE.below("neighbours")[:2] == ("neighbours", "neighbours.upstairs_leak")
    assert TREE.below("water.no_supply") == ("water.no_supply",)
    assert TREE.below("nothing") == ("nothing",)


@pytest.mark.parametrize(
    ("code", "why"), [("water", "category_is_a_group"), ("water.wine", "unknown_category")]
)
def test_nothing_is_filed_under_a_group_or_an_unknown_code(code: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        TREE.leaf(code)

    assert refused.value.errors[0]["code"] == why
    assert refused.value.errors[0]["pointer"] == "/category"


@pytest.mark.parametrize(
    "entry",
    [
        'leak = ["漏", "Leak", "water", 4]',
        'leak = ["漏", "Leak", "water", 4, 72, "later"]',
        'leak = ["漏", "Leak", "water", 4, 72, "emergency", "emergency"]',
        'leak = ["漏", "Leak", "water", 72, 4]',
        'leak = ["漏", "Leak", "water", 0, 4]',
        'leak = ["漏", "Leak", "water", 1.5, 4]',
        'leak = ["漏", "Leak", "Water", 4, 72]',
        'leak = ["漏", "", "water", 4, 72]',
        'LEAK = ["漏", "Leak", "water", 4, 72]',
        '"leak.age" = ["漏", "Leak", "water", 4, 72]',
        "leak = []",
    ],
)
def test_a_wrong_entry_is_refused(entry: str) -> None:
    with pytest.raises(ValueError):
        parse(f'[water]\nname = ["水", "Water"]\n{entry}\n')


def test_a_group_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="water"):
        parse('[water]\nleak = ["漏", "Leak", "water", 4, 72]\n')
