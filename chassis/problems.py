"""Problem details (RFC 9457): every error that leaves over HTTP, as one flat JSON object.

What an error says to its reader depends on their language; the service that faces clients supplies
the texts, and without any the errors' own English sentences are used.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

from marshmallow import ValidationError
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response

from chassis.database import is_infrastructure
from chassis.errors import ServiceError, Unavailable, from_validation

MEDIA_TYPE = "application/problem+json"
LOCALES = ("zh-CN", "en")

STATUS: Mapping[str, int] = {
    "bad_request": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "gone": 410,
    "stale": 412,
    "too_large": 413,
    "unsupported_media_type": 415,
    "invalid": 422,
    "precondition_required": 428,
    "too_many_requests": 429,
    "unavailable": 503,
}
"""HTTP status by the kind of an error; any other kind is a mistake of ours, 500."""

# Seconds; for an error that says "later" without saying when.
_RETRY_AFTER = 2
_OWN_MEMBERS = {"type", "title", "status", "detail", "instance", "request_id", "errors"}
_KEPT_HEADERS = {"allow", "retry-after", "www-authenticate", "accept"}


class Texts(Protocol):
    """What errors are called in the languages of their readers."""

    def problem(self, code: str, locale: str, params: Mapping[str, Any]) -> tuple[str, str] | None:
        """Title and detail for the error `code`; None leaves its own words."""

    def field(self, code: str, locale: str, message: str) -> str | None:
        """What to say of one field; `message` is the English sentence. None leaves it."""


class NoTexts:
    """Leaves every error its own words."""

    def problem(
        self, _code: str, _locale: str, _params: Mapping[str, Any]
    ) -> tuple[str, str] | None:
        return None

    def field(self, _code: str, _locale: str, _message: str) -> str | None:
        return None


@dataclass(frozen=True)
class Problem:
    """One error on its way out. `params` become members of the object beside the standard ones."""

    status: int
    code: str
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def problem_of(error: BaseException) -> Problem:
    """What to answer for any exception; one that nobody foresaw is a 500 that tells nothing."""
    if isinstance(error, ValidationError):
        error = from_validation(error)
    elif is_infrastructure(error):
        error = Unavailable()
    if isinstance(error, ServiceError) and error.kind in STATUS:
        return _of_service_error(error)
    if isinstance(error, HTTPException) and error.code and error.code != 500:
        return _of_http_exception(error)
    return Problem(500, "internal", "Something went wrong on our side.")


def respond(
    error: BaseException, request_id: str, locale: str = "en", texts: Texts | None = None
) -> Response:
    """The response to an exception, in the language `locale`."""
    problem, texts = problem_of(error), texts or NoTexts()
    title, detail = texts.problem(problem.code, locale, problem.params) or (
        _title(problem.code),
        problem.detail,
    )
    body = {name: value for name, value in problem.params.items() if name not in _OWN_MEMBERS}
    body |= {
        "type": f"/problems/{problem.code}",
        "title": title,
        "status": problem.status,
        "detail": detail,
        "request_id": request_id,
        "errors": [_field(fault, locale, texts) for fault in problem.errors],
    }
    text = json.dumps(body, ensure_ascii=False, default=str)
    response = Response(text, problem.status, dict(problem.headers), content_type=MEDIA_TYPE)
    response.headers["Content-Language"] = locale
    response.headers["Cache-Control"] = "no-store"
    return response


def locale_of(accept_language: str | None) -> str:
    """The language to answer in, of those we speak, by an `Accept-Language` header (RFC 9110)."""
    accepted = parse_accept_header(accept_language, LanguageAccept)
    return accepted.best_match(LOCALES, default=LOCALES[0])


def _of_service_error(error: ServiceError) -> Problem:
    status = STATUS[error.kind]
    headers = {}
    if status in (429, 503):
        headers["Retry-After"] = str(_seconds(error.params.get("retry_after")))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Problem(status, error.code, error.detail, error.errors, error.params, headers)


def _of_http_exception(error: HTTPException) -> Problem:
    status = int(error.code or 500)
    headers = {name: value for name, value in error.get_headers() if name.lower() in _KEPT_HEADERS}
    if status in (429, 503):
        headers.setdefault("Retry-After", str(_RETRY_AFTER))
    # The class's own description: an instance's may quote what the client, or we, have in hand.
    detail = type(error).description or _phrase(status)
    return Problem(status, _code(status), detail, headers=headers)


def _seconds(retry_after: Any) -> int:
    """Whole seconds, at least one: `Retry-After: 0` invites a storm."""
    try:
        return max(1, round(float(retry_after)))
    except (TypeError, ValueError):
        return _RETRY_AFTER


def _field(fault: Mapping[str, str], locale: str, texts: Texts) -> dict[str, str]:
    message = fault.get("message", "")
    said = texts.field(fault.get("code", ""), locale, message)
    return {**fault, "message": said or message}


def _code(status: int) -> str:
    kinds = {number: kind for kind, number in STATUS.items()}
    return kinds.get(status) or _phrase(status).lower().replace(" ", "_").replace("-", "_")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _title(code: str) -> str:
    return code.replace("_", " ").capitalize()
