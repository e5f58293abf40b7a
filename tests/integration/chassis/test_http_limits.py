"""Clients that misbehave: what one of them may take, and in which words it is refused."""

import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest

from chassis.testing import eventually
from tests.integration.chassis.http_client import ROOT, ToyProcess

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def toy(free_port, tmp_path_factory):
    log = tmp_path_factory.mktemp("toy") / "log"
    limits = {
        "stall": 1.0,
        "head": 1.0,
        "body": 1.5,
        "connections": 12,
        "streams": 3,
        "large_bodies": 2,
    }
    with ToyProcess(free_port(), log, {"limits": limits, "workers": 3}) as process:
        yield process


def refused(answer, status, code):
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["type"] == f"/problems/{code}"
    assert answer.headers["X-Request-Id"] == answer.json["request_id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return True


def test_a_silent_connection_is_closed(toy):
    with toy.client() as client:
        assert client.closed_within(3) < 2


def test_half_sent_headers_are_cut_off(toy):
    with toy.client() as client:
        client.send("GET /things/a HTTP/1.1\r\nHost: toy\r\nX-Slow: ")

        refused(client.answer(), 408, "request_timeout")
        client.closed_within(3)


def test_headers_that_drip_are_cut_off_though_each_byte_is_in_time(toy):
    with toy.client() as client:
        started = time.monotonic()
        with pytest.raises(ConnectionError):
            client.drip("GET /things/a HTTP/1.1\r\nHost: toy\r\nX-Slow: " + "a" * 100)

        assert time.monotonic() - started < 4


def test_a_request_line_that_drips_is_cut_off(toy):
    with toy.client() as client:
        client.send("GET /thi")

        refused(client.answer(), 408, "request_timeout")


def test_a_body_that_drips_is_cut_off_and_holds_no_worker(toy):
    with ExitStack() as stack:
        dripping = [stack.enter_context(toy.client()) for _ in range(6)]
        for client in dripping:
            client.send("POST /things HTTP/1.1\r\nHost: toy\r\nContent-Length: 99\r\n\r\n{")

        started = time.monotonic()
        assert toy.get("/things/a").status == 200
        assert time.monotonic() - started < 0.5

        for client in dripping[1:]:
            refused(client.answer(), 408, "request_timeout")
        with pytest.raises(ConnectionError):
            dripping[0].drip(b" " * 100)


def test_a_body_over_the_limit_is_refused_by_its_announced_length(toy):
    with toy.client() as client:
        client.send(
            f"POST /things HTTP/1.1\r\nHost: toy\r\nContent-Length: {300 * MEGABYTE}\r\n\r\n"
        )

        refused(client.answer(), 413, "too_large")


def test_a_client_that_sends_a_large_body_all_the_same_still_reads_the_refusal(toy):
    with toy.client() as client:
        refused(client.request("POST", "/things", b"x" * 3 * MEGABYTE), 413, "too_large")


def test_a_route_may_allow_more(toy):
    with toy.client() as client:
        answer = client.request("POST", "/echo", b"x" * 3 * MEGABYTE)

    assert answer.json == {"bytes": 3 * MEGABYTE}


def test_large_bodies_are_read_a_few_at_a_time(toy):
    head = f"POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Length: {3 * MEGABYTE}\r\n\r\n"
    with toy.client() as first, toy.client() as second, toy.client() as third:
        for client in (first, second):
            client.send(head)
        eventually(lambda: _is_refused(toy))

        third.send("POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Length: 1\r\n\r\nx")
        assert third.answer().status == 200
    eventually(lambda: not _is_refused(toy))


def _is_refused(toy):
    with toy.client() as client:
        answer = client.request("POST", "/echo", b"x" * 2 * MEGABYTE)
    return answer.status == 503 and refused(answer, 503, "unavailable")


def test_a_client_that_asks_first_is_refused_before_it_sends(toy):
    with toy.client() as client:
        length = str(9 * MEGABYTE)
        answer = client.request("POST", "/echo", Content_Length=length, Expect="100-continue")

        refused(answer, 413, "too_large")


def test_a_body_of_unknown_length_is_refused(toy):
    with toy.client() as client:
        client.send("POST /things HTTP/1.1\r\nHost: toy\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send('7\r\n{"a":1}\r\n0\r\n\r\n')

        refused(client.answer(), 411, "length_required")


@pytest.mark.parametrize(
    "request_text",
    [
        "hello\r\n\r\n",
        "GET\r\n\r\n",
        "GET /things/a\r\n\r\n",
        "GET /things/a HTTP/x.1\r\nHost: toy\r\n\r\n",
        "GET /things/a HTTP/1.1\r\n\r\n",
        "GET /things/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /things/a HTTP/1.1\r\nHost: toy\r\nno colon\r\n\r\n",
        "POST /things HTTP/1.1\r\nHost: toy\r\nContent-Length: -1\r\n\r\n",
        "POST /things HTTP/1.1\r\nHost: toy\r\nContent-Length: +1\r\n\r\n",
        "POST /things HTTP/1.1\r\nHost: toy\r\nContent-Length: x\r\n\r\n",
        "POST /things HTTP/1.1\r\nHost: toy\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /things HTTP/1.1\r\nHost: toy\r\nContent-Length: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\na",
    ],
)
def test_what_is_no_clear_request_is_refused_in_our_words(toy, request_text):
    with toy.client() as client:
        client.send(request_text)

        refused(client.answer(), 400, "bad_request")


def test_an_overlong_url_is_refused(toy):
    with toy.client() as client:
        refused(client.request("GET", "/" + "a" * 9000), 414, "request_uri_too_long")


@pytest.mark.parametrize(
    "headers", ["X: " + "a" * 9000, "\r\n".join(f"X-{n}: a" for n in range(200))]
)
def test_too_many_or_too_long_headers_are_refused(toy, headers):
    with toy.client() as client:
        client.send(f"GET / HTTP/1.1\r\nHost: toy\r\n{headers}\r\n\r\n")

        refused(client.answer(), 431, "request_header_fields_too_large")


def test_an_unknown_version_is_refused(toy):
    with toy.client() as client:
        client.send("GET / HTTP/3.0\r\nHost: toy\r\n\r\n")

        refused(client.answer(), 505, "http_version_not_supported")


def test_connections_beyond_the_cap_are_told_to_come_back(toy):
    with ExitStack() as stack:
        for _ in range(12):
            stack.enter_context(toy.client()).send("GET /things/a HTTP/1.1\r\n")
        with toy.client() as client:
            answer = client.request("GET", "/things/a")

            refused(answer, 503, "unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
    eventually(lambda: toy.get("/things/a").status == 200)


def ask_at_once(toy, path, count):
    """The answers to as many requests at a time, each with the seconds it took."""
    answers = []

    def ask():
        started = time.monotonic()
        with toy.client() as client:
            answers.append((client.request("GET", path), time.monotonic() - started))

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_saturated_service_says_so_and_does_not_queue_without_end(toy):
    answers = ask_at_once(toy, "/slow/2", 10)

    busy = [(answer, took) for answer, took in answers if answer.status == 503]
    assert len(answers) - len(busy) == 3  # as many as there are workers
    for answer, took in busy:
        refused(answer, 503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        assert took < 1.5


def test_a_short_burst_is_served(toy):
    assert {answer.status for answer, _ in ask_at_once(toy, "/slow/0.03", 10)} == {200}


def test_streams_beyond_their_cap_leave_room_for_requests(toy):
    with ExitStack() as stack:
        for _ in range(3):
            client = stack.enter_context(toy.client())
            client.send("GET /stream HTTP/1.1\r\nHost: toy\r\n\r\n")
            assert b"200 OK" in client.read_some()

        refused(toy.get("/stream"), 503, "unavailable")
        assert toy.get("/things/a").status == 200


def test_a_client_that_hangs_up_does_no_harm(toy):
    for _ in range(20):
        with toy.client() as client:
            client.send("POST /things HTTP/1.1\r\nHost: toy\r\nContent-Length: 50\r\n\r\n{")
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    eventually(lambda: toy.get("/things/a").status == 200)
    assert toy.process.poll() is None


def test_there_are_files_for_all_connections_or_else_fewer_of_these():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (400, {hard}));"
        "from chassis.webserver import affordable; print(affordable(2000));"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )

    def told(hard):
        command = [sys.executable, "-W", "ignore", "-c", code.format(hard=hard)]
        return subprocess.check_output(command, cwd=ROOT, text=True).split()

    assert told(4096) == ["2000", "2300"]
    assert told(1024) == ["724", "1024"]
    assert told(400) == ["100", "400"]
