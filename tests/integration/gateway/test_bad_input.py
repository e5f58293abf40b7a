"""What is refused, and how: every refusal is a documented problem, and none is a 500."""

import json
import socket

import pytest

from tests.integration.gateway.town import request

JSON = {"Content-Type": "application/json"}


def send(client, body, **headers):
    return client.request("POST", "tickets", data=body, headers={**JSON, **headers})


@pytest.mark.parametrize(
    "body",
    [
        "{",
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        "[" * 5000,
        '{"a": ' + "9" * 5000 + "}",
        b"\xff",
        '"x',
    ],
    ids=lambda body: repr(body[:12]),
)
def test_broken_json_is_400(town, body):
    refused = send(town.resident, body)

    assert refused.status_code == 400
    assert refused.json()["type"] == "/problems/broken_json"


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_cannot_be_kept_is_422_with_its_pointer(town, text):
    refused = send(town.resident, json.dumps(request(description=text)))

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/description"


@pytest.mark.parametrize("body", ["[]", '"x"', "1", "null", "true"])
def test_json_that_is_no_object_is_422(town, body):
    assert send(town.resident, body).status_code == 422


def test_an_unknown_field_is_422_with_its_pointer(town):
    refused = town.resident.post("tickets", request(colour="red"))

    assert refused.status_code == 422
    assert {
        "pointer": "/colour",
        "code": "unknown_field",
        "message": "Unknown field.",
    } in refused.json()["errors"]


def test_what_the_owner_of_a_thing_refuses_points_at_the_field_too(town):
    refused = town.resident.post("tickets", request(category="no.such"))

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/category"
    assert refused.json()["errors"][0]["code"] == "unknown_category"


@pytest.mark.parametrize("media_type", ["text/plain", "application/json; charset=gbk", ""])
def test_another_media_type_is_415(town, media_type):
    refused = send(town.resident, json.dumps(request()), **{"Content-Type": media_type})

    assert refused.status_code == 415


def test_too_large_a_body_is_413(town):
    assert send(town.resident, b"x" * 2_000_000).status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "tickets/01a20149-d4ed-70ec-90a1-6119fac49435",
        "tickets/20261122-999999",
        "tickets/nonsense",
        "tickets/" + "9" * 300,
        "tickets/%F0%9F%98%80",
        "tickets/x/history",
        "residents/01a20149-d4ed-70ec-90a1-6119fac49435",
        "residents/x",
        "duties/x",
        "areas/999999999999",
        "areas/x",
        "departments/nowhere",
        "departments/NOT%20A%20CODE",
        "inbox/x/y",
        "nothing/here",
    ],
)
def test_an_unknown_id_is_404(town, path):
    assert town.secretary.get(path).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "limit=1&limit=2", "after=%00x", "colour=red", "state=open",
     "area=x", "assignee=1", "sort=name", "after=nonsense", "limit="],
)  # fmt: skip
def test_a_query_that_is_not_understood_is_refused(town, query):
    assert town.clerk.get(f"tickets?{query}").status_code in (400, 422)


def test_a_query_where_none_is_known_is_refused(town):
    refused = town.clerk.get("categories?colour=red")

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/colour"


def test_another_method_is_405_and_says_which_there_are(town):
    refused = town.clerk.request("PUT", "tickets")

    assert refused.status_code == 405
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert "POST" in refused.headers["Allow"]


def test_a_place_with_a_name_of_its_own_allows_only_its_own_methods(town):
    """Though `/tickets/<id>` would match it, too."""
    asked = town.clerk.request("OPTIONS", "tickets/call-list")
    refused = town.clerk.request("PATCH", "tickets/call-list")

    assert asked.headers["Allow"] == refused.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert refused.status_code == 405


@pytest.mark.parametrize("key", ["a b", "x" * 256, "é"])
def test_a_malformed_idempotency_key_is_422(town, key):
    header = {"Idempotency-Key": key.encode("latin-1")}

    refused = town.resident.post("tickets", request(), headers=header)

    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/idempotency_key_malformed"


def test_only_who_imports_may_say_when_it_happened(town):
    dated = request(occurred_at="2026-11-01T08:00:00+08:00")
    key = town.key({"person": town.ids["clerk"]}, "tickets:read", "tickets:write", "import")

    refused = town.clerk.post("tickets", dated)
    imported = key.make("tickets", dated)

    assert refused.status_code == 403
    assert imported["filed_at"].startswith("2026-11-01T08:00:00")
    assert imported["number"].startswith("20261101-")


def test_errors_speak_the_callers_language(town):
    for accepted, title, language in [
        ("zh-CN,zh;q=0.9,en;q=0.1", "没有找到", "zh-CN"),
        ("en-GB", "Not found", "en"),
        ("fr", "没有找到", "zh-CN"),
    ]:
        refused = town.clerk.get("areas/x", headers={"Accept-Language": accepted})
        assert refused.json()["title"] == title
        assert refused.headers["Content-Language"] == language


def test_a_field_is_explained_in_chinese(town):
    refused = town.resident.post("tickets", {}, headers={"Accept-Language": "zh-CN"})

    assert {fault["message"] for fault in refused.json()["errors"]} == {"此项必填。"}


def test_the_request_id_of_the_caller_is_kept(town):
    answer = town.clerk.get("areas/x", headers={"X-Request-Id": "mine-1"})

    assert answer.json()["request_id"] == answer.headers["X-Request-Id"] == "mine-1"


def test_every_answer_tells_of_the_rate(town):
    for answer in (town.clerk.get("categories"), town.clerk.get("areas/x")):
        assert answer.headers["RateLimit-Policy"] == '"signed_in";q=6000;w=60'
        assert answer.headers["RateLimit"].startswith('"signed_in";r=')


def test_a_nul_in_a_path_leads_to_no_500(town):
    host, port = town.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as wire:
        wire.sendall(b"GET /api/v1/tickets/%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = wire.recv(100)

    assert answer.split()[1] in (b"400", b"401", b"404")


def test_pages_of_other_sites_read_answers_only_when_allowed(town):
    ours = town.nobody.get("categories", headers={"Origin": "https://pages.example"})
    theirs = town.nobody.get("categories", headers={"Origin": "https://evil.example"})

    assert ours.headers["Access-Control-Allow-Origin"] == "https://pages.example"
    assert "Access-Control-Allow-Origin" not in theirs.headers
