"""Errors as the standard has them: a list of `{code, description}`, `code` being the HTTP status.

What it names are 400, 401, 403 and 404. What else HTTP has a status for keeps it.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from werkzeug.wrappers import Response

from chassis import problems
from chassis.errors import Unauthenticated
from chassis.http import LinliRequest
from chassis.problems import Problem
from services.gateway import responses
from services.gateway.open311 import formats
from services.gateway.open311.formats import Document
from services.gateway.texts import TEXTS

_STATUS: Final = {412: 409, 422: 400, 428: 409}
# What was asked for is not there, though it stands in a form.
_NOT_THERE: Final = frozenset({"unknown_category", "category_is_a_group"})
# What tickets calls what the standard calls otherwise.
_PARAMETERS: Final[Mapping[str, str]] = {
    "category": "service_code",
    "categories": "service_code",
    "ids": "service_request_id",
    "area": "address_id",
    "address": "address_string",
    "jurisdiction": "jurisdiction_id",
    "location/lat": "lat",
    "location/lon": "long",
    "reporter/phone": "phone",
    "reporter/name": "first_name",
    # As the registry has it.
    "name": "first_name",
    "text": "description",
}


class KeyInvalid(Unauthenticated):
    """There is no such API key, or it was revoked."""

    code = "api_key_invalid"


def refusal(error: Exception, request: LinliRequest) -> Response:
    """Any exception, in the caller's language and format."""
    problem = problems.problem_of(responses.discreet(error))
    status = _status(problem, request)
    errors = [{"code": status, "description": text} for text in _said(problem, request.locale)]
    response = formats.respond(request, Document("errors", errors), status)
    response.headers.update(problem.headers)
    response.headers["Content-Language"] = request.locale
    if status != 401:
        response.headers.pop("WWW-Authenticate", None)
    return response


def _status(problem: Problem, request: LinliRequest) -> int:
    if any(fault["code"] in _NOT_THERE for fault in problem.errors):
        return 404
    # Whoever shows no key, or a wrong one, where the standard has a parameter for it is forbidden
    # what they ask; 401 belongs to the header.
    if problem.status == 401 and "Authorization" not in request.headers:
        return 403
    return _STATUS.get(problem.status, problem.status)


def _said(problem: Problem, locale: str) -> Iterator[str]:
    """A sentence for each fault, or else one for all."""
    for fault in problem.errors:
        message = fault.get("message", "")
        said = TEXTS.field(fault.get("code", ""), locale, message) or message
        yield f"{parameter(fault.get('pointer', ''))}: {said}"
    if not problem.errors:
        text = TEXTS.problem(problem.code, locale, problem.params)
        yield text[1] if text else problem.detail


def parameter(pointer: str) -> str:
    """What the standard calls the field that a pointer (RFC 6901) leads to."""
    path = pointer.removeprefix("/")
    if path.startswith("attributes/"):
        return f"attribute[{path.removeprefix('attributes/')}]"
    # Where several can be given, in one parameter, the standard has no name for one of them.
    several, _, place = path.partition("/")
    return _PARAMETERS.get(several if place.isdecimal() else path, path)
