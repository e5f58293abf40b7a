"""An example of whatever the OpenAPI document has a schema of, made from the schema."""

from collections.abc import Mapping
from typing import Any

from services.gateway import ledger
from services.gateway.example_values import DAY, FIELDS, ID, ITEMS, MOMENT, OF_SCHEMA

Schema = Mapping[str, Any]

_BY_FORMAT = {"uuid": ID, "date-time": MOMENT, "date": DAY, "uri-reference": "/api/v1/tickets"}
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
}


def illustrate(said: dict[str, Any]) -> None:
    """Give an example to every body and answer that has none; a workbook cannot be shown."""
    named = said["components"]["schemas"]
    operations = [each for methods in said["paths"].values() for each in methods.values()]
    answers = [
        answer
        for each in operations
        for status, answer in each["responses"].items()
        if status < "3"
    ]
    bodies = [each["requestBody"] for each in operations if "requestBody" in each]
    for content in [each["content"] for each in (*answers, *bodies) if "content" in each]:
        for media_type, media in content.items():
            if media_type == "text/csv":
                media["example"] = _as_csv(content["application/json"]["example"])
            elif media_type != ledger.XLSX and "example" not in media:
                media["example"] = of(media["schema"], named)


def _as_csv(book: dict[str, Any]) -> str:
    """The ledger of the example, as it is written."""
    written = ledger.Book(book["from"], book["to"], book["items"], "zh-CN")
    return b"".join(ledger.written(written, "csv")).decode()


def of(schema: Schema, named: Mapping[str, Schema], name: str = "", within: str = "") -> Any:
    """A value for a schema, in which `named` ones may be referred to; `name` is that of the member
    for which it is, `within` that of the schema that has the member. Raises LookupError for what
    has no value in `example_values`.
    """
    if name in OF_SCHEMA.get(within, {}):
        return OF_SCHEMA[within][name]
    if "$ref" in schema:
        within = schema["$ref"].rpartition("/")[2]
        return of(named[within], named, name, within)
    if "anyOf" in schema:
        return of(schema["anyOf"][0], named, name, within)
    if schema.get("properties"):
        return _members(schema, named, within)
    if "items" in schema:
        return [_item(schema["items"], named, name)]
    return _plain(schema, name, within)


def _members(schema: Schema, named: Mapping[str, Schema], within: str) -> dict[str, Any]:
    return {
        member: of(said, named, member, within)
        for member, said in schema["properties"].items()
        if not said.get("writeOnly")
    }


def _item(schema: Schema, named: Mapping[str, Schema], name: str) -> Any:
    return ITEMS[name] if name in ITEMS else of(schema, named, name)


def _plain(schema: Schema, name: str, within: str) -> Any:
    told, kinds = FIELDS.get(name), _kinds(schema)
    if "enum" in schema:
        return told if told in schema["enum"] else schema["enum"][0]
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    if "boolean" in kinds:
        return True
    if any(isinstance(told, _KINDS[kind]) for kind in kinds if kind in _KINDS):
        return told
    if "null" in kinds or schema.get("additionalProperties") == {}:
        return None if "null" in kinds else {}
    raise LookupError(f"give {within}.{name} ({schema}) a value in example_values.py")


def _kinds(schema: Schema) -> list[str]:
    told = schema.get("type", [])
    return [told] if isinstance(told, str) else told
