"""What a category asks besides of whoever files under it, and whether the answers fit."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from chassis import clock
from chassis.errors import Invalid
from chassis.screening import screen
from services.tickets import texts

_WORD = re.compile(r"[a-z][a-z0-9_]*")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
# RFC 3339, seconds or none; in other years a zone could carry it past what a date can hold.
_MOMENT = re.compile(
    r"(19|[2-8]\d)\d\d-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_LONGEST_STRING, _LONGEST_TEXT = 200, 2000
DATATYPES: Final = (
    *("string", "text", "number", "datetime"),
    *("singlevaluelist", "multivaluelist"),
)
_LISTS = frozenset({"singlevaluelist", "multivaluelist"})


@dataclass(frozen=True)
class Attribute:
    """One question. `datatype` is of those of Open311 GeoReport v2; `values` are the keys of a
    list, each with its names.
    """

    code: str
    datatype: str
    required: bool
    order: int
    descriptions: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def of(category: str, entries: Sequence[Mapping[str, Any]]) -> tuple[Attribute, ...]:
    """A category's attributes as they stand in the file, in that order; raises ValueError naming
    the one that is wrong.
    """
    found = tuple(_attribute(category, order, entry) for order, entry in enumerate(entries, 1))
    if len({attribute.code for attribute in found}) != len(found):
        raise ValueError(f"{category}: an attribute is there twice")
    return found


def _attribute(category: str, order: int, entry: Mapping[str, Any]) -> Attribute:
    where = f"{category}, attribute {order}"
    told = dict(entry)
    code, datatype = told.pop("code", ""), told.pop("datatype", "")
    required, names = told.pop("required", False), told.pop("description", ())
    values = {key: _names(where, both) for key, *both in told.pop("values", ())}
    if told or not _WORD.fullmatch(code) or datatype not in _KEPT or type(required) is not bool:
        raise ValueError(f"{where}: it needs a code, a datatype and a description")
    if bool(values) != (datatype in _LISTS):
        raise ValueError(f"{where}: a list has values, and nothing else has")
    return Attribute(code, datatype, required, order, _names(where, names), values)


def _names(where: str, names: Sequence[Any]) -> dict[str, str]:
    if len(names) != 2 or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"{where}: words in zh and in en are needed")
    return dict(zip(("zh", "en"), names, strict=True))


def checked(attributes: Sequence[Attribute], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as they are kept: numbers as numbers, times in RFC 3339, lists of keys, texts
    cleaned and with phone and ID numbers masked. What is empty counts as not answered.

    Raises Invalid with all that is wrong: unknown_attribute, required, invalid_value.
    """
    given = {code: answer for code, answer in answers.items() if answer not in (None, "", [])}
    known = {attribute.code: attribute for attribute in attributes}
    faults = [_fault(code, "unknown_attribute") for code in given if code not in known]
    kept: dict[str, Any] = {}
    for code, attribute in known.items():
        if code not in given:
            faults += [_fault(code, "required")] if attribute.required else []
            continue
        try:
            kept[code] = _KEPT[attribute.datatype](attribute, given[code])
        except ValueError:
            faults.append(_fault(code, "invalid_value"))
    if faults:
        raise Invalid(errors=faults)
    return kept


_SAID: Final = {
    "unknown_attribute": "This category asks no such thing.",
    "required": "Missing data for required field.",
    "invalid_value": "This is no answer of the kind that is asked for.",
}


def _fault(code: str, why: str) -> dict[str, str]:
    return {"pointer": f"/attributes/{code}", "code": why, "message": _SAID[why]}


def _string(_attribute: Attribute, answer: Any) -> str:
    line = _written(answer, _LONGEST_STRING)
    if "\n" in line:
        raise ValueError
    return line


def _text(_attribute: Attribute, answer: Any) -> str:
    return _written(answer, _LONGEST_TEXT)


def _written(answer: Any, most: int) -> str:
    """What somebody wrote, or a number that they wrote as one."""
    text = texts.clean(str(answer)) if isinstance(answer, str | int | float) else ""
    if isinstance(answer, bool) or not 0 < len(text) <= most:
        raise ValueError
    return screen(text)


def _number(_attribute: Attribute, answer: Any) -> int | float:
    if isinstance(answer, str) and _NUMBER.fullmatch(answer):
        return float(answer) if "." in answer else int(answer)
    is_number = isinstance(answer, int | float) and not isinstance(answer, bool)
    if not is_number or not math.isfinite(answer) or abs(answer) >= 10**15:
        raise ValueError
    return answer  # type: ignore[no-any-return]


def _datetime(_attribute: Attribute, answer: Any) -> str:
    if not isinstance(answer, str) or not _MOMENT.fullmatch(answer.upper()):
        raise ValueError
    return clock.iso(clock.parse(answer.upper()))


def _one(attribute: Attribute, answer: Any) -> str:
    if not isinstance(answer, str) or answer not in attribute.values:
        raise ValueError
    return answer


def _several(attribute: Attribute, answer: Any) -> list[str]:
    keys = answer if isinstance(answer, list) else [answer]
    chosen = [_one(attribute, key) for key in keys]
    if len(set(chosen)) != len(chosen):
        raise ValueError
    return chosen


_KEPT: Final[Mapping[str, Callable[[Attribute, Any], Any]]] = {
    "string": _string,
    "text": _text,
    "number": _number,
    "datetime": _datetime,
    "singlevaluelist": _one,
    "multivaluelist": _several,
}
