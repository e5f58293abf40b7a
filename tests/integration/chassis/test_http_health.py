"""Health answers at once, whatever the workers do and however long a check hangs."""

import threading
import time

import pytest

from chassis.testing import eventually
from tests.integration.chassis.http_client import ToyProcess


@pytest.fixture
def toy_with(free_port, tmp_path):
    running = []

    def start(**options):
        process = ToyProcess(free_port(), tmp_path / f"log{len(running)}", options)
        running.append(process.__enter__())
        return process

    yield start
    for process in running:
        process.__exit__()


def readiness(toy):
    answer = toy.get("/readyz")
    return answer.status, answer.json


def test_a_service_without_checks_lives_and_is_ready(toy_with):
    toy = toy_with()

    assert toy.get("/livez").json == {"status": "alive"}
    assert readiness(toy) == (200, {"status": "ready", "checks": {}})


@pytest.mark.parametrize(
    ("check", "status", "word", "told"),
    [
        (("ok", True), 200, "ready", "ok"),
        (("bad", True), 200, "degraded", "reconnecting"),
        (("bad", False), 503, "unavailable", "reconnecting"),
        (("raises", False), 503, "unavailable", "ZeroDivisionError"),
        (("hangs", True), 200, "degraded", "no_answer"),
    ],
)
def test_a_check_decides_on_readiness(toy_with, check, status, word, told):
    toy = toy_with(checks={"thing": check})

    eventually(lambda: readiness(toy) == (status, {"status": word, "checks": {"thing": told}}))
    assert toy.get("/livez").status == 200


def test_it_answers_quickly_while_a_check_hangs_and_all_workers_are_busy(toy_with):
    toy = toy_with(checks={"thing": ("hangs", True), "other": ("ok", False)}, workers=2)
    busy = [threading.Thread(target=toy.get, args=("/slow/3",)) for _ in range(4)]
    for thread in busy:
        thread.start()
    toy.has_at_hand(2)

    started = time.monotonic()
    assert toy.get("/livez").status == 200
    assert toy.get("/readyz").status in (200, 503)
    assert time.monotonic() - started < 0.5

    eventually(lambda: readiness(toy)[1]["checks"]["other"] == "ok")
    for thread in busy:
        thread.join()
