"""The OpenAPI 3.1 document, made from the declarations and schemas that requests really pass.

`python -m services.gateway.openapi FILE` writes it as YAML.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from services.gateway import examples
from services.gateway.example_values import EVENT, PATH
from services.gateway.operation import OPERATIONS, PREFIX, PUBLIC, Operation
from services.gateway.problem_texts import PROBLEMS
from services.gateway.refusals import errors_of
from services.gateway.schemas.common import Problem
from services.gateway.schemas.fields import Map

_ABOUT = """\
Errors are problem details (RFC 9457) in the language of `Accept-Language`. Lists are `{items,
next}`; give `next` back as `after`. Every POST takes an `Idempotency-Key`. Times are RFC 3339; ids
are UUIDs.
"""
# A part of a path as werkzeug's rules spell it.
_PLACE = re.compile(r"<(?:(uuid):)?(\w+)>")
# OpenAPI 3.1 says of a file no more than this.
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"contentMediaType": "application/octet-stream"}},
                "required": ["file"],
                "additionalProperties": False,
            },
            "example": {"file": "code,name\n340603008002.e1,河滨花园\n"},
        }
    },
}
_SENT = {"id": "18-142", "data": json.dumps(EVENT, ensure_ascii=False)}
_EVENT = {  # Of a stream, a schema before OpenAPI 3.2 describes each event.
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "the cursor"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_STEMS = {"200": "As asked.", "201": "Made.", "202": "Taken on.", "204": "Done."}
_HEADERS = {
    "ETag": "the version of this answer, for If-None-Match and If-Match",
    "Location": "where it is from now on",
    "Link": "the next page, `rel=next`; what takes the place of this, `rel=successor-version`",
    "Deprecation": "since when not to begin using it, `@<seconds since 1970>` (RFC 9745)",
    "Sunset": "when it will be gone (RFC 8594)",
    "RateLimit": "requests left, seconds until all are back (draft-ietf-httpapi-ratelimit-headers)",
    "RateLimit-Policy": "the rate that holds",
    "X-Request-Id": "what to quote when something went wrong",
    "Retry-After": "seconds to wait",
}


@cache
def document() -> dict[str, Any]:
    """The whole document as JSON values."""
    resolved: set[type[Schema]] = set()

    def named(schema: Any) -> str:
        resolved.add(_class(schema))
        return _class(schema).__name__

    spec = _begun(named)
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Problem", schema=Problem)
    for code in sorted({code for declared in OPERATIONS for _, code in errors_of(declared)}):
        spec.components.example(code, {"value": _example(code)})
    for name, description in _HEADERS.items():
        spec.components.header(name, {"description": description, "schema": {"type": "string"}})
    for declared in OPERATIONS:
        spec.path(
            path=_PLACE.sub(r"{\2}", PREFIX + declared.path),
            operations={declared.method.lower(): _operation(spec, declared)},
        )
    said = dict(spec.to_dict())
    for schema in resolved:
        said["components"]["schemas"][schema.__name__] |= getattr(schema, "also", {})
    examples.illustrate(said)
    return said


@cache
def as_json() -> str:
    """The document as text."""
    return json.dumps(document(), ensure_ascii=False)


def _begun(named: Callable[[Any], str]) -> APISpec:
    """The document before anything is in it; `named` is what a schema is called."""
    plugin = MarshmallowPlugin(schema_name_resolver=named)
    about = {"description": _ABOUT}
    spec = APISpec("Linli", "1", openapi_version="3.1.0", info=about, plugins=[plugin])
    converter: Any = plugin.converter
    converter.add_attribute_function(_names)
    return spec


def _names(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """What the names of a map's members may be, which apispec leaves out."""
    if not isinstance(field, Map):
        return {}
    return {"propertyNames": converter.field2property(field.key_field)}


def _class(schema: Any) -> type[Schema]:
    return schema if isinstance(schema, type) else type(schema)


def _operation(spec: APISpec, declared: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": declared.name,
        "tags": [declared.tag],
        "summary": declared.summary.split("\n")[0].rstrip("."),
        "description": _who(declared),
        "parameters": list(_parameters(spec, declared)),
        "responses": {
            str(declared.status): _success(declared),
            **(
                {"304": {"description": "The caller has this version."}}
                if _tagged(declared)
                else {}
            ),
            **{str(status): refusal for status, refusal in _refusals(declared)},
        },
    }
    if declared.open_to_all:
        # An empty requirement: without a session as well.
        said["security"] = [{"bearer": []}, {}]
    else:
        said["security"] = [{"bearer": []}]
    if declared.body:
        said["requestBody"] = _body(declared)
    if declared.upload:
        said["requestBody"] = _FORM
    if declared.deprecated:
        said |= declared.deprecated.said()
    return said


def _body(declared: Operation) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": declared.body}
    if example := getattr(declared.body, "example", None):
        media["example"] = example
    return {"required": not declared.body_optional, "content": {"application/json": media}}


def _who(declared: Operation) -> str:
    if declared.policy == PUBLIC:
        return "For everybody."
    if declared.policy == "signed_in":
        return "For everybody who is signed in."
    return f"Needs `{declared.policy}`, see docs/permissions.md."


def _parameters(spec: APISpec, declared: Operation) -> Iterator[dict[str, Any]]:
    for kind, name in _PLACE.findall(declared.path):
        schema = {"type": "string", **({"format": "uuid"} if kind else {"maxLength": 64})}
        known = {"example": PATH[name]}
        yield {"name": name, "in": "path", "required": True, "schema": schema, **known}
    if declared.query:
        plugin: Any = spec.plugins[0]
        yield from plugin.converter.schema2parameters(declared.query(), location="query")
    if declared.method == "POST":
        pattern = "^[\\x21-\\x7e]{1,255}$"
        yield _header("Idempotency-Key", "makes it safe to send again", pattern=pattern)
    if declared.if_match:
        required = "required" in declared.if_match
        yield _header("If-Match", "the ETag of what was read", required=required)
    if _tagged(declared):
        yield _header("If-None-Match", "the ETag that the caller has")


def _header(
    name: str, description: str, *, required: bool = False, **schema: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string", **schema},
    }


def _tagged(declared: Operation) -> bool:
    streamed = bool(declared.also_as)
    is_asked_for = declared.method == "GET" and declared.answer is not None
    return is_asked_for and not declared.secret and not streamed


def _success(declared: Operation) -> dict[str, Any]:
    headers = ["RateLimit", "RateLimit-Policy", "X-Request-Id"]
    headers += ["Location"] if declared.location else []
    headers += ["ETag"] if declared.answer and not (declared.secret or declared.also_as) else []
    paged = declared.query and "after" in declared.query().fields
    headers += ["Link"] if paged or declared.deprecated else []
    headers += ["Deprecation", "Sunset"] if declared.deprecated else []
    said: dict[str, Any] = {
        "description": _STEMS[str(declared.status)],
        "headers": {name: _ref("headers", name) for name in headers},
    }
    if declared.answer:
        said["content"] = {declared.media_type: {"schema": declared.answer}}
    elif declared.media_type != "application/json":
        said["content"] = {declared.media_type: {"schema": _EVENT, "example": _SENT}}
    for media_type in declared.also_as:
        said["content"][media_type] = {"schema": {"type": "string"}}
    return said


def _refusals(declared: Operation) -> Iterator[tuple[int, dict[str, Any]]]:
    by_status: dict[int, list[str]] = {}
    for status, code in errors_of(declared):
        by_status.setdefault(status, []).append(code)
    for status, codes in by_status.items():
        examples = {code: _ref("examples", code) for code in codes}
        said: dict[str, Any] = {
            "description": " ".join(PROBLEMS[code]["en"].detail for code in codes),
            "content": {
                "application/problem+json": {
                    "schema": _ref("schemas", "Problem"),
                    "examples": examples,
                }
            },
        }
        if status in (429, 503):
            said["headers"] = {"Retry-After": _ref("headers", "Retry-After")}
        yield status, said


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _example(code: str) -> dict[str, Any]:
    status = next(
        status for declared in OPERATIONS for status, known in errors_of(declared) if known == code
    )
    text = PROBLEMS[code]["en"]
    return {
        "type": f"/problems/{code}",
        "title": text.title,
        "status": status,
        "detail": text.detail,
        "request_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "errors": [],
    }


def main(path: str) -> None:
    """Write the document as YAML."""
    import yaml

    import services.gateway.service  # noqa: F401 - declares the operations

    text = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=100)
    Path(path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
