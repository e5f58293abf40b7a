"""What surrounds every answer: problem details, ids, languages, headers, the access log."""

import re
import socket

import pytest

from chassis.testing import eventually
from tests.integration.chassis.http_client import ToyProcess

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def toy(free_port, tmp_path_factory):
    log = tmp_path_factory.mktemp("toy") / "log"
    with ToyProcess(free_port(), log, {"cors_origins": ["https://town.example"]}) as process:
        yield process


def post(toy, path, body, **headers):
    with toy.client() as client:
        headers.setdefault("Content_Type", "application/json")
        return client.request("POST", path, body, **headers)


def test_an_unknown_path_is_a_problem(toy):
    answer = toy.get("/nowhere", Accept_Language="en")

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["type"] == "/problems/not_found"
    assert set(answer.json) == {"type", "title", "status", "detail", "request_id", "errors"}


@pytest.mark.parametrize("method", ["DELETE", "PUT", "TRACE", "BREW"])
def test_an_unknown_method_is_a_problem_that_names_the_known_ones(toy, method):
    with toy.client() as client:
        answer = client.request(method, "/things/a")

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert answer.json["type"] == "/problems/method_not_allowed"


def test_head_answers_like_get_without_a_body(toy):
    with toy.client() as client:
        head = client.request("HEAD", "/things/a")
        get = client.request("GET", "/things/a")

    assert head.status == 200
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_options_names_the_methods(toy):
    with toy.client() as client:
        answer = client.request("OPTIONS", "/things")

    assert (answer.status, answer.headers["Allow"]) == (204, "OPTIONS, POST")


def test_a_mistake_of_ours_tells_nothing_and_is_logged(toy):
    answer = toy.get("/broken", X_Request_Id="broken-1")

    assert answer.status == 500
    assert b"hunter2" not in answer.body
    assert b"RuntimeError" not in answer.body
    logged = [line for line in toy.log_lines if line["event"] == "http_failed"]
    assert logged[-1]["request_id"] == "broken-1"


def test_an_answer_that_breaks_off_does_not_look_whole(toy):
    with toy.client() as client:
        client.send("GET /half HTTP/1.1\r\nHost: toy\r\n\r\n").read_until(b"4\r\nhalf\r\n")
        # The last chunk, which ends an answer that is whole, never comes.
        assert client.read_some() == b""


def test_a_method_that_returns_no_response_is_a_mistake_of_ours(toy):
    assert toy.get("/nothing").status == 500


def test_fields_at_fault_are_named_in_the_callers_language(toy):
    answer = post(toy, "/things", b'{"parts": [{}]}', Accept_Language="zh-CN")

    assert answer.status == 422
    assert answer.headers["Content-Language"] == "zh-CN"
    assert {(e["pointer"], e["code"], e["message"]) for e in answer.json["errors"]} == {
        ("/name", "required", "必填"),
        ("/parts/0/size", "required", "必填"),
    }


def test_an_error_carries_its_own_members_and_texts(toy):
    chinese = post(toy, "/moves", b"{}", Accept_Language="zh").json
    english = post(toy, "/moves", b"{}", Accept_Language="en").json

    assert (chinese["from"], chinese["move"], chinese["status"]) == ("filed", "work", 409)
    assert chinese["detail"] == "在 filed 时不能 work"
    assert english["detail"] == "That move is not possible from there."


def test_unavailable_says_when_to_come_back(toy):
    answer = toy.get("/away")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'{"name": "\xff"}'])
def test_broken_json_is_a_problem(toy, body):
    answer = post(toy, "/things", body)

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status in (400, 500)  # werkzeug's own parser gives up on deep nesting


def test_nul_in_a_url_is_refused(toy):
    assert toy.get("/things/a%00b").status == 400
    assert toy.get("/things/a?q=%00").status == 400


def test_a_sane_request_id_is_kept_and_any_other_replaced(toy):
    assert toy.get("/things/a", X_Request_Id="abc-1.2_3").headers["X-Request-Id"] == "abc-1.2_3"
    for bad in ("a b", "x" * 65, 'a"b', "<script>", "-"):
        answer = toy.get("/things/a", X_Request_Id=bad)
        assert UUID7.fullmatch(answer.headers["X-Request-Id"])
        assert answer.json["request"] == answer.headers["X-Request-Id"]


def test_the_trace_is_continued_and_a_malformed_one_replaced(toy):
    continued = toy.get("/context", traceparent=TRACE).json["traceparent"]
    fresh = toy.get("/context", traceparent="00-zz").json["traceparent"]

    # Nobody records a span here that it could name instead.
    assert continued == TRACE
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", fresh)


def test_no_other_header_enters_the_context(toy):
    answer = toy.get(
        "/context", Cookie="session=canary1", Authorization="Bearer canary2", X_Other="canary3"
    )

    assert b"canary" not in answer.body


def test_every_answer_is_dressed(toy):
    for answer in (toy.get("/things/a"), toy.get("/nowhere"), toy.get("/broken")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"


def test_only_listed_origins_may_read_answers(toy):
    with toy.client() as client:
        friend = client.request(
            "OPTIONS",
            "/things",
            Origin="https://town.example",
            Access_Control_Request_Method="POST",
        )
        stranger = client.request("GET", "/things/a", Origin="https://evil.example")

    assert friend.headers["Access-Control-Allow-Origin"] == "https://town.example"
    assert friend.headers["Access-Control-Allow-Methods"] == "OPTIONS, POST"
    assert "Idempotency-Key" in friend.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in stranger.headers
    assert "Origin" in stranger.headers["Vary"]


def test_the_access_log_names_the_route_and_never_its_values(toy):
    toy.get("/things/canary4?phone=canary5", X_Request_Id="logged-1", User_Agent="canary6")

    def logged():
        return [line for line in toy.log_lines if line.get("request_id") == "logged-1"]

    line = eventually(logged)[0]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/things/<name>", 200)
    assert line["ms"] >= 0
    assert "canary" not in toy.log_path.read_text()


def test_a_connection_serves_many_requests_even_after_a_problem(toy):
    with toy.client() as client:
        statuses = [
            client.request("GET", path).status for path in ("/things/a", "/nowhere", "/things/b")
        ]

    assert statuses == [200, 404, 200]


def test_two_processes_cannot_share_the_port(toy):
    with socket.socket() as second:
        second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):
            second.bind(("127.0.0.1", toy.port))
