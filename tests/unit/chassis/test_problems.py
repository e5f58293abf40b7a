"""Errors as problem details: statuses, pointers, languages, and what is never told."""

import json

import pytest
from marshmallow import Schema, ValidationError, fields
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import BadRequest, MethodNotAllowed, NotFound

from chassis import errors, problems


class Order(Schema):
    name = fields.String(required=True)
    parts = fields.List(fields.Nested({"size/mm": fields.Integer(required=True)}))


class Texts:
    def problem(self, code, locale, params):
        return ("标题", f"详情 {params.get('n')}") if (code, locale) == ("full", "zh-CN") else None

    def field(self, code, locale, message):
        return "必填" if (code, locale) == ("required", "zh-CN") else None


class Full(errors.Conflict):
    """No more fit."""

    code = "full"


def body_of(error, locale="en", texts=None):
    return json.loads(problems.respond(error, "r-1", locale, texts).get_data())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Invalid(), 422),
        (errors.NotFound(), 404),
        (errors.Gone(), 410),
        (errors.Forbidden(), 403),
        (errors.Unauthenticated(), 401),
        (errors.Conflict(), 409),
        (errors.Stale(), 412),
        (errors.PreconditionRequired(), 428),
        (errors.TooManyRequests(), 429),
        (errors.Unavailable(), 503),
        (errors.ServiceError(), 500),
        (errors.Retryable(), 500),
        (BadRequest(), 400),
        (NotFound(), 404),
        (RuntimeError(), 500),
        (OperationalError("SELECT", {}, Exception("gone")), 503),
    ],
)
def test_each_kind_of_error_has_its_status(error, status):
    response = problems.respond(error, "r-1")

    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert json.loads(response.get_data())["status"] == status


def test_a_problem_has_the_members_of_the_standard_and_the_errors_own():
    assert body_of(Full(from_="a", n=3)) == {
        "type": "/problems/full",
        "title": "Full",
        "status": 409,
        "detail": "No more fit.",
        "request_id": "r-1",
        "errors": [],
        "from": "a",
        "n": 3,
    }


def test_an_errors_own_members_cannot_replace_those_of_the_standard():
    body = body_of(Full(status=200, title="x", request_id="y"))

    assert (body["status"], body["title"], body["request_id"]) == (409, "Full", "r-1")


def test_what_nobody_foresaw_tells_nothing():
    body = problems.respond(RuntimeError("hunter2 at 10.0.0.3"), "r-1").get_data(as_text=True)

    assert "hunter2" not in body
    assert "RuntimeError" not in body


def test_an_error_from_the_bus_that_is_no_fault_of_the_client_tells_nothing():
    error = errors.from_wire({"kind": "internal", "code": "internal", "detail": "hunter2"})

    assert "hunter2" not in str(body_of(error))


def test_an_exceptions_own_words_are_not_repeated():
    assert "hunter2" not in str(body_of(BadRequest("hunter2")))


def test_fields_at_fault_are_named_by_json_pointers():
    with pytest.raises(ValidationError) as caught:
        Order().load({"parts": [{"size/mm": 1}, {"size/mm": "x", "colour": 1}]})

    faults = {fault["pointer"]: fault["code"] for fault in body_of(caught.value)["errors"]}

    assert faults == {
        "/name": "required",
        "/parts/1/size~1mm": "invalid_value",
        "/parts/1/colour": "unknown_field",
    }


def test_titles_details_and_field_messages_are_in_the_readers_language():
    fault = {"pointer": "/name", "code": "required", "message": "Missing."}
    error = Full(n=3, errors=[fault])

    chinese, english = body_of(error, "zh-CN", Texts()), body_of(error, "en", Texts())

    assert (chinese["title"], chinese["detail"]) == ("标题", "详情 3")
    assert chinese["errors"] == [{**fault, "message": "必填"}]
    assert (english["title"], english["errors"]) == ("Full", [fault])


@pytest.mark.parametrize(("given", "told"), [(0.2, "1"), (3, "3"), (None, "2"), ("x", "2")])
def test_an_answer_that_says_later_says_when(given, told):
    response = problems.respond(errors.Unavailable(retry_after=given), "r-1")

    assert response.headers["Retry-After"] == told


def test_a_refused_method_keeps_its_allow_header():
    response = problems.respond(MethodNotAllowed(["GET", "PUT"]), "r-1")

    assert response.headers["Allow"] == "GET, PUT"
    assert json.loads(response.get_data())["type"] == "/problems/method_not_allowed"


def test_whoever_is_not_signed_in_is_told_how():
    assert problems.respond(errors.Unauthenticated(), "r").headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        (None, "zh-CN"),
        ("", "zh-CN"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("fr, en;q=0.3", "en"),
        ("fr", "zh-CN"),
        ("en;q=0.5, zh-CN;q=0.6", "zh-CN"),
        ("*", "zh-CN"),
        (";;;q=x,,", "zh-CN"),
    ],
)
def test_the_language_is_the_one_most_wanted_of_those_we_speak(header, locale):
    assert problems.locale_of(header) == locale
