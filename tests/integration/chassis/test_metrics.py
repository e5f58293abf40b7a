"""The figures of a service in all its processes, as Prometheus reads them."""

import contextlib
import json
import tempfile
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from chassis.testing import eventually
from tests.integration.chassis.conftest import QUEUE, Toy


def figures(toy: Toy) -> dict[tuple[str, ...], float]:
    """Every figure, by its name and the values of its labels in the order of their names."""
    ports = [
        json.loads(line)["port"]
        for line in toy.process.log.splitlines()
        if '"health_listening"' in line
    ]
    with urllib.request.urlopen(f"http://127.0.0.1:{ports[-1]}/metrics", timeout=5) as answer:
        exposed = answer.read().decode()
    return {
        (sample.name, *(sample.labels[each] for each in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(exposed)
        for sample in family.samples
    }


def folders(toy: Toy) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"linli-metrics-{toy.process.pid}-*"))


def test_methods_are_counted_by_how_they_end_and_how_long_they_take(echo: Toy) -> None:
    before = figures(echo)
    for method in ("echo", "echo"):
        echo.call(method, 1)
    for method in ("refuse", "fail", "lose_patience"):
        with contextlib.suppress(Exception):
            echo.call(method)

    def grown(*figure: str) -> float:
        return figures(echo).get(figure, 0.0) - before.get(figure, 0.0)

    outcomes = "linli_entrypoint_outcomes_total"
    assert grown(outcomes, "echo", "ok") == 2
    assert grown("linli_entrypoint_seconds_count", "echo") == 2
    assert grown(outcomes, "refuse", "taken") == 1
    assert grown(outcomes, "fail", "RuntimeError") == 1
    assert grown(outcomes, "lose_patience", "timeout") == 1


def test_an_event_is_counted_by_the_relay_that_sends_it_and_by_its_consumer(echo: Toy) -> None:
    before = figures(echo)

    def grown(*figure: str) -> float:
        return figures(echo).get(figure, 0.0) - before.get(figure, 0.0)

    echo.call("add", "counted", 1)
    echo.call("add", "counted-never", -1)

    eventually(lambda: grown("linli_events_relayed_total") == 2)
    eventually(lambda: grown("linli_events_consumed_total", "handled", QUEUE) == 1)
    eventually(lambda: grown("linli_events_consumed_total", "dead", QUEUE) == 1)
    echo.dead()


def test_a_call_that_nobody_answers_is_counted_with_its_reason(echo: Toy) -> None:
    before = figures(echo)
    with contextlib.suppress(Exception):
        echo.call("ask_itself", "sleep", [2], 0.2)

    unanswered = ("linli_rpc_unanswered_total", "deadline", "echo")
    assert figures(echo).get(unanswered, 0.0) - before.get(unanswered, 0.0) == 1


def test_what_waits_and_what_fails_can_be_read(echo: Toy) -> None:
    eventually(lambda: figures(echo).get(("linli_outbox_rows",)) == 0)
    found = figures(echo)
    assert found["linli_check_failing", "database"] == 0
    assert found["linli_pool_size",] >= found["linli_pool_in_use",]
    assert found["process_resident_memory_bytes",] > 0


def test_the_folder_goes_with_the_process_and_what_a_killed_one_left_with_the_next(
    echo: Toy,
) -> None:
    (left,) = folders(echo)
    echo.process.kill()
    assert left.exists()

    echo.process.start()
    echo.ready()
    assert not left.exists()
    (folder,) = folders(echo)
    assert echo.process.stop() == 0
    assert not folder.exists()

    echo.process.start()
    echo.ready()
