"""Server-sent events: at once, kept alive, resumed, and dead or slow clients let go."""

import re
import time
from contextlib import ExitStack

import pytest

from chassis.testing import eventually
from tests.integration.chassis.http_client import ToyProcess


@pytest.fixture(scope="module")
def toy(free_port, tmp_path_factory):
    log = tmp_path_factory.mktemp("toy") / "log"
    options = {"heartbeat": 0.3, "limits": {"stall": 1.0, "streams": 4}, "workers": 2}
    with ToyProcess(free_port(), log, options) as process:
        yield process


def opened(toy, path="/stream", **headers):
    client = toy.client()
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    client.send(f"GET {path} HTTP/1.1\r\nHost: toy\r\n{extra}\r\n")
    return client


def there_is_room(toy):
    with opened(toy) as client:
        return b"200 OK" in client.read_some()


def test_each_event_arrives_when_it_happens(toy):
    with opened(toy) as client:
        started = time.monotonic()
        got = client.read_until(b'id: 1\nevent: counted\ndata: {"n": 1}\n\n')

    assert time.monotonic() - started < 1
    assert b"Content-Type: text/event-stream; charset=utf-8" in got
    wait = int(re.search(rb"retry: (\d+)\n\n", got)[1])
    assert 1000 <= wait <= 3000


def test_silence_is_filled_with_comments(toy):
    with opened(toy, "/stream?pause=60") as client:
        client.read_until(b": still here")
        client.read_until(b": still here")


def test_a_stream_goes_on_after_the_last_event_the_client_saw(toy):
    with opened(toy, Last_Event_ID="41") as client:
        assert b"id: 42\n" in client.read_until(b"id: 43\n")


def test_streams_hold_no_worker(toy):
    with opened(toy) as one, opened(toy) as other:
        one.read_until(b"id: 1")
        other.read_until(b"id: 1")

        assert toy.get("/things/a").status == 200


def test_opening_streams_is_in_nobodys_way(toy):
    """Two workers and four streams: more clients come back than there is room for."""
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(opened(toy))

        started = time.monotonic()
        assert toy.get("/things/a").status == 200
        assert time.monotonic() - started < 0.5


def test_a_client_that_left_is_noticed_and_its_place_freed(toy):
    for _ in range(8):
        eventually(lambda: there_is_room(toy))

    eventually(lambda: there_is_room(toy))
    assert "failed" not in toy.log_path.read_text()


def test_a_client_that_hangs_up_frees_its_place_though_nothing_is_told(free_port, tmp_path):
    options = {"heartbeat": 3600, "limits": {"streams": 1}}
    with ToyProcess(free_port(), tmp_path / "log", options) as toy:
        for _ in range(3):
            with opened(toy, "/stream?pause=3600") as client:
                client.read_until(b"retry: ")

            eventually(lambda: there_is_room(toy), within=5)


def test_asking_for_the_head_of_a_stream_opens_none(toy):
    with toy.client() as client:
        for _ in range(10):
            eventually(lambda: client.request("HEAD", "/stream").status == 200, within=2)

    eventually(lambda: there_is_room(toy))


def test_a_client_that_takes_nothing_is_cut_off(toy):
    with opened(toy, "/flood") as client:
        time.sleep(3)
        got = 0
        client.socket.settimeout(3)
        try:
            while data := client.socket.recv(1 << 20):
                got += len(data)
                assert got < 64 << 20, "the flood goes on"
        except ConnectionError:
            pass
