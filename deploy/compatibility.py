"""Where what a schema allows would not satisfy whoever goes by another one.

`jsonsubschema` decides; what stands here walks to the field that is to blame, and leaves out what
it cannot read. See docs/adr/0025-contracts-are-released.md.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jsonsubschema import isSubschema
from jsonsubschema.exceptions import _UnsupportedCase as Unsupported

Schema = Mapping[str, Any]

_SAYS_NOTHING = {
    *("$id", "$schema", "title", "description", "example", "examples", "default", "deprecated"),
    *("readOnly", "writeOnly", "contentMediaType", "propertyNames", "discriminator"),
}
"""Keywords that no value breaks, or that are beyond jsonsubschema: `propertyNames`."""
_MEMBERS = {"type", "properties", "required", "additionalProperties", "items"}
"""What the walk compares itself, member by member."""
_NULL = {"type": "null"}


@dataclass(frozen=True)
class Gap:
    """One thing that is to blame: `what` of the member at `where`; `had` and `wanted` are its
    schemas.
    """

    where: str
    what: Literal["missing", "optional", "unknown", "different"]
    had: Schema
    wanted: Schema


def gaps(had: Schema, wanted: Schema, where: str) -> Iterator[Gap]:
    """Where a value that satisfies `had` may not satisfy `wanted`; both are `resolved`."""
    if had == wanted:
        return
    if _or_null(wanted):
        yield from gaps(_besides_null(had), _besides_null(wanted), where)
        return
    if _is("object", had, wanted) and "properties" in wanted:
        yield from _members(had, wanted, where)
    elif _is("array", had, wanted):
        yield from gaps(had.get("items", {}), wanted.get("items", {}), f"{where}[]")
    elif not _within(had, wanted):
        yield Gap(where, "different", had, wanted)
        return
    if not _within(_besides(had), _besides(wanted)):
        yield Gap(where, "different", _besides(had), _besides(wanted))


def bare(schema: Any) -> Any:
    """A schema with nothing in it but what values must satisfy."""
    if isinstance(schema, list):
        return [bare(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        keyword: {name: bare(member) for name, member in said.items()}
        if keyword == "properties"
        else bare(said)
        for keyword, said in schema.items()
        if keyword not in _SAYS_NOTHING and not keyword.startswith("x-")
    }


def resolved(schema: Any, named: Mapping[str, Schema], *, opened: bool) -> Any:
    """A bare schema with the `named` ones where it refers to them.

    `opened`: as whoever reads takes it, who ignores members that they do not know.
    """
    if isinstance(schema, list):
        return [resolved(each, named, opened=opened) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        return resolved(named[schema["$ref"].rpartition("/")[2]], named, opened=opened)
    return {
        keyword: resolved(said, named, opened=opened)
        for keyword, said in schema.items()
        if not (opened and keyword == "additionalProperties" and said is False)
    }


def brief(schema: Schema) -> str:
    """A schema in a few words, for people."""
    text = json.dumps(schema, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _members(had: Schema, wanted: Schema, where: str) -> Iterator[Gap]:
    given, named = had.get("properties", {}), wanted["properties"]
    for name, schema in named.items():
        place = f"{where}.{name}"
        required = name in wanted.get("required", ())
        if name in given:
            yield from gaps(given[name], schema, place)
            if required and name not in had.get("required", ()):
                yield Gap(place, "optional", given[name], schema)
        elif required or not _closed(had):
            yield Gap(place, "missing", {}, schema)
    if _closed(wanted):
        for name in given.keys() - named.keys():
            yield Gap(f"{where}.{name}", "unknown", given[name], {})


def _is(kind: str, *schemas: Schema) -> bool:
    return all(schema.get("type") == kind for schema in schemas)


def _or_null(schema: Schema) -> bool:
    """Whether it is `anyOf: [something, null]`, as what refers to a named schema is spelt."""
    branches = schema.get("anyOf", ())
    return schema.keys() == {"anyOf"} and len(branches) == 2 and _NULL in branches


def _besides_null(schema: Schema) -> Schema:
    if not _or_null(schema):
        return schema
    (left,) = [each for each in schema["anyOf"] if each != _NULL]
    return dict(left)


def _besides(schema: Schema) -> Schema:
    """What a schema says besides its members."""
    members = schema.get("type") in ("object", "array")
    return {name: said for name, said in schema.items() if not (members and name in _MEMBERS)}


def _closed(schema: Schema) -> bool:
    return schema.get("additionalProperties") is False


def _within(had: Schema, wanted: Schema) -> bool:
    """Whether every value of `had` is one of `wanted`. What cannot be told is none."""
    if had == wanted:
        return True
    if _form(had) == _form(wanted) or not any(_form(wanted)):
        had, wanted = _without_form(had), _without_form(wanted)
    try:
        return bool(isSubschema(_stood_in(had), _stood_in(wanted)))
    except Unsupported:
        return False


def _form(schema: Schema) -> tuple[Any, ...]:
    told = (schema.get("format"), schema.get("pattern"))
    # A member may have such a name.
    return tuple(each if isinstance(each, str) else None for each in told)


def _without_form(schema: Schema) -> Schema:
    return {name: said for name, said in schema.items() if name not in ("format", "pattern")}


def _stood_in(schema: Any) -> Any:
    """Each form of a text replaced by a word that stands for it: jsonsubschema ignores `format`,
    and the difference of two patterns can take it for ever. Another form is then another value.
    """
    if isinstance(schema, list):
        return [_stood_in(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    if any(_form(schema)):
        spelt = {name: said for name, said in schema.items() if name != "type"}
        null: list[Any] = [None] if "null" in schema.get("type", ()) else []
        return {"enum": [_word(json.dumps(spelt, sort_keys=True)), *null]}
    return {
        name: [_word(each) for each in said] if name == "enum" else _stood_in(said)
        for name, said in schema.items()
    }


def _word(value: Any) -> Any:
    """Spelt with what jsonsubschema's regular expressions can read, one for each text."""
    if not isinstance(value, str) or re.fullmatch("[A-Za-z0-9]+", value):
        return value
    return value.encode().hex()
