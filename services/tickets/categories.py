"""The tree of what requests are about, read and checked once from `categories.toml`."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.tickets import attributes
from services.tickets.attributes import Attribute
from services.tickets.errors import fault

_WORD = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Category:
    """A group (no parent) or a leaf of the tree. Hours are plain hours; `department` is None when
    the community helps itself. `personal`: it is about somebody's own affairs.
    """

    code: str
    parent: str | None
    names: Mapping[str, str]
    department: str | None = None
    response_hours: int | None = None
    resolution_hours: int | None = None
    emergency: bool = False
    personal: bool = False
    attributes: tuple[Attribute, ...] = ()

    @property
    def visibility(self) -> str:
        """Of what is filed where nobody is asked who may see it, as over Open311."""
        return "private" if self.personal else "public"


class Tree:
    """Every category by its code, each group before its leaves."""

    def __init__(self, categories: Sequence[Category]) -> None:
        self._by_code = {category.code: category for category in categories}

    def __iter__(self) -> Iterator[Category]:
        return iter(self._by_code.values())

    def get(self, code: str) -> Category | None:
        """The category with this code, if it is known."""
        return self._by_code.get(code)

    def below(self, code: str) -> tuple[str, ...]:
        """A code and those of all the leaves below it; only itself when it is unknown."""
        return (code, *(found.code for found in self if found.parent == code))

    def leaf(self, code: str) -> Category:
        """The category with this code, for filing under it; raises Invalid when it is none or a
        group.
        """
        found = self.get(code)
        if found is None:
            raise fault("/category", "unknown_category", "There is no such category.")
        if found.parent is None:
            raise fault("/category", "category_is_a_group", "Choose a category of this group.")
        return found


def parse(text: str) -> Tree:
    """The tree in a text of the form of `categories.toml`; raises ValueError naming the entry that
    is wrong.
    """
    groups = tomllib.loads(text)
    asked = groups.pop("attributes", {})
    tree = Tree([found for code, group in groups.items() for found in _of(code, group, asked)])
    if lost := [code for code in asked if tree.get(code) is None]:
        raise ValueError(f"{lost[0]}: attributes of no category")
    return tree


def _of(
    code: str, group: Mapping[str, Sequence[Any]], asked: Mapping[str, Any]
) -> Iterator[Category]:
    leaves = dict(group)
    yield Category(_word(code), None, _names(code, leaves.pop("name", ())))
    for word, values in leaves.items():
        leaf = f"{code}.{_word(word)}"
        yield _leaf(code, leaf, values, attributes.of(leaf, asked.get(leaf, ())))


def _leaf(group: str, code: str, values: Sequence[Any], asked: tuple[Attribute, ...]) -> Category:
    *names, department, response, resolution = values[:5]
    flags = list(values[5:])
    if len(values) < 5 or flags not in ([], ["emergency"], ["personal"]):
        raise ValueError(f"{code}: two names, a department and two numbers of hours are needed")
    if not 0 < _hours(code, response) <= _hours(code, resolution):
        raise ValueError(f"{code}: nothing is resolved before it is accepted")
    return Category(
        code,
        group,
        _names(code, names),
        None if department == "none" else _word(department),
        response,
        resolution,
        emergency="emergency" in flags,
        personal="personal" in flags,
        attributes=asked,
    )


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"{text!r} is not lower case letters, digits and underscores")
    return text


def _names(code: str, names: Sequence[Any]) -> dict[str, str]:
    if len(names) != 2 or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"{code}: a name in zh and one in en are needed")
    return dict(zip(("zh", "en"), names, strict=True))


def _hours(code: str, value: Any) -> int:
    match value:
        case int():
            return value
    raise ValueError(f"{code}: hours are whole numbers")


TREE: Final = parse(Path(__file__).with_name("categories.toml").read_text(encoding="utf-8"))
