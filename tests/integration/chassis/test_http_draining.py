"""Going away: the listener first, then what is under way, and never for ever."""

import signal
import threading
import time
from contextlib import ExitStack

import pytest

from chassis.testing import eventually
from tests.integration.chassis.http_client import ToyProcess


@pytest.fixture
def toy(free_port, tmp_path):
    with ToyProcess(free_port(), tmp_path / "log") as process:
        yield process


def stop(toy, within=10.0):
    started = time.monotonic()
    toy.process.send_signal(signal.SIGTERM)
    toy.process.wait(within)
    return time.monotonic() - started


def test_an_idle_service_stops_at_once_though_clients_keep_their_connections(toy):
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(toy.client()).request("GET", "/things/a")

        assert stop(toy) < 2
        assert toy.process.returncode == 0


def test_a_request_under_way_is_answered_and_its_connection_closed(toy):
    with toy.client() as client:
        client.send("GET /slow/1.5 HTTP/1.1\r\nHost: toy\r\n\r\n")
        toy.has_at_hand(1)
        toy.process.send_signal(signal.SIGTERM)

        answer = client.answer()

        assert answer.status == 200
        assert answer.headers["Connection"] == "close"
    assert toy.process.wait(5) == 0


def test_new_connections_are_refused_while_old_requests_are_answered(toy):
    with toy.client() as client:
        client.send("GET /slow/1.5 HTTP/1.1\r\nHost: toy\r\n\r\n")
        toy.has_at_hand(1)
        toy.process.send_signal(signal.SIGTERM)

        eventually(lambda: refuses(toy), within=1)
        assert client.answer().status == 200


def test_while_it_drains_it_says_unready_goes_on_serving_and_keeps_no_connection(
    free_port, tmp_path
):
    with ToyProcess(free_port(), tmp_path / "log", {"drain": 2.0}) as toy, toy.client() as kept:
        kept.request("GET", "/things/a")
        toy.process.send_signal(signal.SIGTERM)
        eventually(lambda: toy.get("/readyz").status == 503, within=2)

        old, new = kept.request("GET", "/things/a"), toy.get("/things/a")

        assert (old.status, old.headers["Connection"]) == (200, "close")
        assert (new.status, new.headers["Connection"]) == (200, "close")
        assert toy.process.wait(5) == 0


def refuses(toy):
    try:
        with toy.client():
            return False
    except ConnectionRefusedError:
        return True


def test_half_a_request_does_not_keep_the_service(toy):
    with toy.client() as client:
        client.send("POST /things HTTP/1.1\r\nHost: toy\r\nContent-Length: 9\r\n\r\n{")
        time.sleep(0.2)

        assert stop(toy) < 4


def test_a_stream_ends_when_the_service_drains(toy):
    with toy.client() as client:
        client.send("GET /stream?pause=100 HTTP/1.1\r\nHost: toy\r\n\r\n")
        client.read_until(b"retry:")

        assert stop(toy) < 3


class Load:
    """Clients that ask one thing after another until they are turned away."""

    def __init__(self, toy, clients):
        self.toy, self.statuses, self.broken = toy, [], []
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for thread in self.threads:
            thread.join()

    def run(self):
        try:
            while True:
                with self.toy.client() as client:
                    self.use(client)
        except ConnectionRefusedError:
            return
        except ConnectionError as error:
            self.broken.append(error)

    def use(self, client):
        closing = None
        while closing != "close":
            answer = client.request("GET", "/slow/0.02")
            self.statuses.append(answer.status)
            closing = answer.headers.get("Connection")


def test_under_load_every_request_that_was_taken_is_answered(toy):
    with Load(toy, clients=8) as load:
        time.sleep(1)
        took = stop(toy)

    assert took < 3
    assert toy.process.returncode == 0
    assert len(load.statuses) > 50
    assert set(load.statuses) == {200}
    assert load.broken == []
