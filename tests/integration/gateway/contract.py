"""Holds every answer that a test gets against the OpenAPI document."""

import re
from functools import cache
from typing import Any

import requests
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

import services.gateway.service  # noqa: F401 - declares the operations
from services.gateway import openapi

_DOCUMENT = openapi.document()
_REGISTRY: Any = Registry().with_resource("urn:api", Resource.from_contents(
    {"$schema": "https://json-schema.org/draft/2020-12/schema", **_DOCUMENT}
))  # fmt: skip


def check(method: str, path: str, answer: requests.Response) -> None:
    """Raises AssertionError when the answer is not one that the document promises."""
    promised = _operation(method, path)
    if promised is None:
        return
    status = str(answer.status_code)
    assert status in promised["responses"], f"{method} {path}: {status} {answer.text[:300]}"
    content = promised["responses"][status].get("content")
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]
    if not content or media_type == "text/event-stream":
        assert answer.content == b"" or content, f"{method} {path}: {status} has a body"
        return
    assert media_type in content, f"{method} {path}: {status} is {media_type}"
    if not media_type.endswith("json"):
        return
    body = answer.json()
    _validator(method, _template(path), status, media_type).validate(body)
    if answer.status_code >= 400:
        codes = content[media_type]["examples"]
        code = body["type"].removeprefix("/problems/")
        assert code in codes, f"{method} {path}: {status} {code} is not documented"
        assert body["status"] == answer.status_code
        assert body["request_id"] == answer.headers["X-Request-Id"]


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    templates = sorted(_DOCUMENT["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in templates]


def _template(path: str) -> str | None:
    bare = path.partition("?")[0]
    return next((found for pattern, found in _patterns() if pattern.fullmatch(bare)), None)


def _operation(method: str, path: str) -> Any:
    template = _template(path)
    return _DOCUMENT["paths"][template].get(method.lower()) if template else None


@cache
def _validator(method: str, template: str, status: str, media_type: str) -> Draft202012Validator:
    steps = ["paths", template, method.lower(), "responses", status, "content", media_type]
    pointer = "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
    reference = {"$ref": f"urn:api#/{pointer}/schema"}
    return Draft202012Validator(
        reference, registry=_REGISTRY, format_checker=FormatChecker(["uuid", "date-time", "date"])
    )
