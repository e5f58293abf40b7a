"""The broker dies, freezes or refuses publishers: callers are told soon, nothing ends, all comes
back by itself.
"""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chassis import errors
from chassis.testing import eventually
from chassis.testing.rpc import RpcCaller
from chassis.testing.wire import opened
from tests.integration.chassis.conftest import Toy


@contextmanager
def frozen(broker: Any) -> Iterator[None]:
    broker.freeze()
    try:
        yield
    finally:
        broker.thaw()


def test_a_broker_that_was_killed_is_found_again_within_three_seconds(
    echo: Toy, rabbitmq: Any
) -> None:
    pid = echo.process.pid
    rabbitmq.kill()
    time.sleep(2)
    rabbitmq.start()

    eventually(echo.answers, within=3)

    assert echo.process.running
    assert echo.process.pid == pid


def test_a_broker_that_goes_while_calls_are_at_hand_ends_nothing(echo: Toy, rabbitmq: Any) -> None:
    """Their answers, and their acknowledgements, go nowhere."""
    pid = echo.process.pid
    with ThreadPoolExecutor(4) as pool:
        with echo.taking(4):
            for _ in range(4):
                pool.submit(_ask, echo)
        rabbitmq.kill()
        dropped = eventually(lambda: echo.process.log.count("rpc_reply_dropped"))
        rabbitmq.start()

    eventually(echo.answers, within=5)
    assert dropped
    assert echo.process.running
    assert echo.process.pid == pid


def test_what_was_committed_while_the_broker_was_away_is_published_when_it_is_back(
    echo: Toy, rabbitmq: Any
) -> None:
    """The command had come in before; its reply is lost, its effect is not."""
    subject = str(uuid4())
    rabbitmq.kill()
    with echo.engine.begin() as connection:
        connection.exec_driver_sql(_EVENT_BY_HAND, (subject, subject))
    time.sleep(1)
    assert echo.rows("SELECT count(*) FROM outbox") == [(1,)]

    rabbitmq.start()

    eventually(lambda: echo.effects(subject) == [9], within=5)


def test_a_broker_that_was_frozen_for_long_is_found_again_within_three_seconds(
    echo: Toy, rabbitmq: Any
) -> None:
    """Long enough for the connection to be given up, after ten seconds of silence."""
    with frozen(rabbitmq):
        eventually(lambda: '"silent"' in echo.process.log, within=15)
        assert echo.process.running

    eventually(echo.answers, within=3)


def test_an_event_of_a_frozen_time_arrives_after_it(echo: Toy, rabbitmq: Any) -> None:
    subject = str(uuid4())
    with frozen(rabbitmq):
        with echo.engine.begin() as connection:
            connection.exec_driver_sql(_EVENT_BY_HAND, (subject, subject))
        time.sleep(12)

    eventually(lambda: echo.effects(subject) == [9], within=10)


@pytest.mark.parametrize("broker", ["up", "killed", "frozen"])
def test_sigterm_ends_the_service_within_ten_seconds(echo: Toy, rabbitmq: Any, broker: str) -> None:
    with echo.taking():
        threading.Thread(target=_ask, args=(echo,), daemon=True).start()
    if broker == "killed":
        rabbitmq.kill()
    if broker == "frozen":
        rabbitmq.freeze()
    try:
        echo.process.stop(within=10)
    finally:
        rabbitmq.thaw()
        if broker == "killed":
            rabbitmq.start()

    assert not echo.process.running


@pytest.mark.parametrize(("method", "said"), [("sleep", True), ("hang", False)])
def test_sigterm_waits_for_no_call_longer_than_the_grace_period(
    echo: Toy, method: str, said: bool
) -> None:
    """Even one that holds up the event loop, with which nothing more can be said either."""
    echo.process.stop()
    echo.process.start(LINLI_GRACE_SECONDS="1")
    echo.ready()
    before = echo.process.log.count("stopped_by_force")
    with RpcCaller(echo.amqp_uri) as caller:
        with echo.taking():
            caller.send("echo", method, 60, within=60)

        assert echo.process.stop(within=6) == 75

    assert (echo.process.log.count("stopped_by_force") > before) is said
    with opened(echo.amqp_uri) as channel:
        channel.queue_purge("rpc-echo")


def test_sigterm_lets_a_call_at_hand_finish(echo: Toy) -> None:
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(echo.call("sleep", 2)))
    with echo.taking():
        thread.start()

    code = echo.process.stop()
    thread.join(5)

    assert answers == [2]
    assert code == 0


def test_a_service_started_without_its_servers_waits_and_can_be_stopped(
    echo: Toy, rabbitmq: Any
) -> None:
    echo.process.stop()
    rabbitmq.stop()
    try:
        before = echo.process.log.count('"waiting"')
        echo.process.start()
        eventually(lambda: echo.process.log.count('"waiting"') > before)
        assert echo.process.stop(within=10) == 0
        echo.process.start()
    finally:
        rabbitmq.start()

    eventually(echo.answers, within=5)


def test_a_killed_service_takes_its_relay_with_it(echo: Toy) -> None:
    found = eventually(lambda: _children(echo.process.pid))

    echo.process.signal(signal.SIGKILL).wait(5)

    eventually(lambda: not any(_alive(pid) for pid in found))


def _ask(echo: Toy) -> None:
    try:
        echo.call("sleep", 3, within=5)
    except (errors.ServiceError, OSError):
        return


def _children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


_EVENT_BY_HAND = """
INSERT INTO outbox (event_id, routing_key, cc, body, traceparent)
VALUES (gen_random_uuid(), 'note.added.v1.water.340603', '{}', json_build_object(
    'specversion', '1.0', 'id', gen_random_uuid(), 'type', 'linli.echo.note_added.v1',
    'source', '/echo', 'subject', %s::text, 'time', '2026-11-01T08:00:00+08:00',
    'partitionkey', %s::text, 'sequence', '0000000001', 'data', json_build_object('number', 9)
)::text, '')
"""
