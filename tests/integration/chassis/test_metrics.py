"""The figures of a service in all its processes, as Prometheus reads them."""

import contextlib
import signal
import tempfile
from pathlib import Path
from typing import Any

import psutil

from chassis import __version__
from chassis.testing import eventually
from chassis.testing.figures import Figures, figures_at, health_port
from chassis.testing.processes import ServiceProcess
from tests.integration.chassis.conftest import ECHO, QUEUE, Toy


def figures(toy: Toy) -> Figures:
    return figures_at(health_port(toy.process.log))


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


def test_a_process_that_has_just_begun_its_file_keeps_nobody_from_the_figures(echo: Toy) -> None:
    [folder] = folders(echo)
    begun = folder / "gauge_sum_tests.beginner.db"
    begun.touch()
    try:
        assert figures(echo)["linli_build_info", __version__] == 1
    finally:
        begun.unlink()


def test_an_event_is_counted_by_the_relay_that_sends_it_and_by_its_consumer(echo: Toy) -> None:
    before = figures(echo)

    def grown(*figure: str) -> float:
        return figures(echo).get(figure, 0.0) - before.get(figure, 0.0)

    echo.call("add", "counted", 1)
    echo.call("add", "counted-never", -1)

    eventually(lambda: grown("linli_events_relayed_total") == 2)
    eventually(lambda: grown("linli_events_consumed_total", "handled", QUEUE) == 1)
    eventually(lambda: grown("linli_events_consumed_total", "dead", QUEUE) == 1)
    eventually(lambda: figures(echo).get(("linli_dead_letters", QUEUE)) == 1, within=20)
    echo.dead()
    eventually(lambda: figures(echo).get(("linli_dead_letters", QUEUE)) == 0, within=20)


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
    assert found["linli_build_info", __version__] == 1


def test_how_many_wait_is_not_told_while_the_database_does_not_say(
    echo: Toy, postgres: Any
) -> None:
    postgres.stop()
    try:
        eventually(lambda: ("linli_outbox_rows",) not in figures(echo), within=20)
        assert figures(echo)["linli_check_failing", "database"] == 1
    finally:
        postgres.start()
    eventually(lambda: figures(echo).get(("linli_outbox_rows",)) == 0, within=20)


def test_dead_letters_are_not_told_while_the_broker_does_not_say(echo: Toy, rabbitmq: Any) -> None:
    rabbitmq.kill()
    try:
        eventually(lambda: ("linli_dead_letters", QUEUE) not in figures(echo), within=20)
    finally:
        rabbitmq.start()
    eventually(lambda: ("linli_dead_letters", QUEUE) in figures(echo), within=30)


def test_of_two_relays_one_is_active_and_the_other_stands_by(
    echo: Toy, echo_environ: dict[str, str]
) -> None:
    eventually(lambda: figures(echo).get(("linli_relays", "active")) == 1)
    with ServiceProcess(ECHO, echo_environ) as process:
        other = Toy(process, echo.engine, echo.amqp_uri)
        eventually(lambda: '"relay_started"' in process.log, within=20)
        eventually(lambda: figures(other).get(("linli_relays", "standby")) == 1)

        assert figures(other)["linli_relays", "active"] == 0
        assert figures(echo)["linli_relays", "active"] == 1


def test_what_blocks_the_event_loop_shows_as_lag(echo: Toy) -> None:
    def late() -> float:
        found = figures(echo)
        buckets = found["linli_hub_lag_seconds_bucket", "0.25"]
        return found["linli_hub_lag_seconds_count",] - buckets

    before = late()
    echo.call("hang", 1)

    assert late() > before


def test_a_relay_that_follows_a_dead_one_counts_on_in_its_files(echo: Toy) -> None:
    helpers_died = ("linli_helpers_died_total", "relay")
    eventually(lambda: figures(echo).get(("linli_outbox_rows",)) == 0, within=20)

    def relay_one(key: str) -> None:
        """One event more, and its count: a relay that dies between the two counts one less."""
        before = figures(echo).get(("linli_events_relayed_total",), 0)
        echo.call("add", key, 1)
        eventually(lambda: figures(echo)["linli_events_relayed_total",] == before + 1)

    relay_one("before")
    (folder,) = folders(echo)
    files = sorted(folder.iterdir())
    died = figures(echo).get(helpers_died, 0)
    for turn in (1, 2):
        (relay,) = eventually(psutil.Process(echo.process.pid).children)
        relay.send_signal(signal.SIGKILL)
        eventually(lambda turn=turn: figures(echo).get(helpers_died) == died + turn)
        relay_one(f"after-{turn}")

    assert sorted(folder.iterdir()) == files


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
