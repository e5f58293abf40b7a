"""Answers and refusals as responses: bodies, ETag, Location, Link."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from marshmallow import ValidationError
from werkzeug.wrappers import Response

from chassis import problems
from chassis.errors import ServiceError, Unavailable
from chassis.http import LinliRequest
from services.gateway import etags
from services.gateway.texts import TEXTS

if TYPE_CHECKING:
    from services.gateway.operation import Operation


def success(operation: "Operation", request: LinliRequest, answer: Any) -> Response:
    """What a handler returned, as its operation is declared to answer."""
    if operation.answer_schema is None:
        return Response(status=operation.status)
    body = shown(operation, answer)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    response = Response(text, operation.status, content_type="application/json")
    response.headers["Content-Language"] = request.locale
    if operation.location:
        response.headers["Location"] = f"/api/v1{operation.location.format_map(body)}"
    if body.get("items") and body.get("next"):
        response.headers["Link"] = _next_link(request, body["next"])
    if not operation.secret:
        _tag(request, response, etags.etag_of(body))
    return response


def shown(operation: "Operation", answer: Any) -> Any:
    """What of an answer its schema lets out."""
    return operation.answer_schema.dump(answer) if operation.answer_schema else None


def refusal(error: ServiceError | ValidationError, request: LinliRequest) -> Response:
    """An error as problem details, in the caller's language."""
    return problems.respond(discreet(error), request.request_id, request.locale, TEXTS)


def discreet(error: Exception) -> Exception:
    """The error without what is nobody's business outside: which service is away, and how we
    know.
    """
    if isinstance(error, Unavailable):
        error.params = {"retry_after": error.params.get("retry_after", 2)}
    return error


def _tag(request: LinliRequest, response: Response, etag: str) -> None:
    """Say which version this is, and only that when the caller has it."""
    response.headers["ETag"] = etag
    known = request.headers.get("If-None-Match")
    if request.method in ("GET", "HEAD") and known and etags.matches(known, etag):
        response.status_code = 304
        response.set_data(b"")
        response.headers.pop("Content-Type", None)


def _next_link(request: LinliRequest, cursor: str) -> str:
    query = urlencode({**dict(request.args.items()), "after": cursor})
    return f'<{request.path}?{query}>; rel="next"'
