"""What connections go through between starts and stops of servers: slow and cut wires, queues and
connections that are taken away, messages that hurt whoever touches them.
"""

import json
import re
import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import amqp
import pytest
from kombu import Connection
from sqlalchemy.orm import Session

from chassis import errors, topology
from chassis.call import Call
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from chassis.testing.wire import opened
from tests.integration.chassis.conftest import CLOUD_EVENT, ECHO, QUEUE, Toy, event
from tests.stack.proxy import DOWNSTREAM, Proxy, Slicer
from tests.toys.echo.service import add_event


@pytest.fixture
def wire(rabbitmq: Any) -> Iterator[Proxy]:
    with Proxy(rabbitmq.ports["amqp"]) as wire:
        yield wire


@pytest.fixture
def echo_by_wire(echo: Toy, echo_environ: dict[str, str], wire: Proxy) -> Iterator[Toy]:
    """A toy that reaches the broker through the wire, and is the only one."""
    echo.process.stop()
    uri = re.sub(r":\d+/", f":{wire.port}/", echo.amqp_uri)
    with ServiceProcess(ECHO, {**echo_environ, "LINLI_AMQP_URI": uri}) as process:
        toy = Toy(process, echo.engine, echo.amqp_uri)
        toy.ready()
        yield toy


def test_answers_that_arrive_in_small_pieces_are_read_whole(echo_by_wire: Toy, wire: Proxy) -> None:
    """Whoever publishes must not read meanwhile: it would take what another waits for."""
    text = "x" * 20_000
    pieces = Slicer([DOWNSTREAM], average_size=500, delay=0.001)

    with wire.having(pieces), ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(echo_by_wire.call, "ask_itself", "echo", [text], 20, within=25)
            for _ in range(24)
        ]
        answers = [ask.result()["value"] for ask in asked]

    assert answers == [text] * 24
    assert "broker_lost" not in echo_by_wire.process.log


def test_connections_that_were_cut_without_a_word_are_replaced(
    echo_by_wire: Toy, wire: Proxy
) -> None:
    """The broker believes in the old ones for a while and gives each a handful to no avail; the
    rest arrives. The relay, too, gets another.
    """
    subject = str(uuid4())
    echo_by_wire.call("add", str(uuid4()), 1)
    eventually(lambda: echo_by_wire.rows("SELECT count(*) FROM outbox") == [(0,)])
    wire.cut()
    with Session(echo_by_wire.engine) as session, session.begin():
        add_event(session, Call(), str(uuid4()), 2)

    eventually(lambda: echo_by_wire.process.log.count("broker_lost") >= 2, within=20)
    for _ in range(40):
        echo_by_wire.publish(event(id=str(uuid4()), subject=subject), **CLOUD_EVENT)

    eventually(lambda: len(echo_by_wire.effects(subject)) >= 20, within=5)
    eventually(echo_by_wire.answers, within=15)
    eventually(lambda: echo_by_wire.rows("SELECT count(*) FROM outbox") == [(0,)], within=5)


def test_connections_that_an_operator_closes_are_opened_again(echo: Toy, rabbitmq: Any) -> None:
    def connections() -> list[str]:
        return [found["name"] for found in _manage(rabbitmq, "GET", "connections") if found["name"]]

    for name in eventually(connections):
        _manage(rabbitmq, "DELETE", f"connections/{quote(name, safe='')}")

    eventually(echo.answers, within=3)
    subject = str(uuid4())
    echo.call("add", subject, 1)
    eventually(lambda: echo.effects(subject) == [1], within=5)


def test_a_queue_that_is_taken_away_costs_the_others_nothing(echo: Toy) -> None:
    lost = echo.process.log.count("broker_lost")
    with opened(echo.amqp_uri) as channel:
        channel.queue_delete(QUEUE)
        time.sleep(1)
        assert echo.call("echo", 1, within=1)["value"] == 1
        assert echo.process.log.count("broker_lost") == lost

    with Connection(echo.amqp_uri) as connection:
        types = ["linli.echo.note_added.v1"]
        topology.declare(connection.channel(), [topology.consumer(QUEUE, types)])

    subject = str(uuid4())
    echo.publish(event(id=str(uuid4()), subject=subject), **CLOUD_EVENT)
    eventually(lambda: echo.effects(subject) == [1], within=5)


def test_a_call_at_hand_when_sigterm_comes_is_not_done_again(echo: Toy) -> None:
    """Its acknowledgement still reaches the broker."""
    thread = threading.Thread(target=echo.call, args=("sleep", 4), kwargs={"within": 30})
    with echo.taking():
        thread.start()

    echo.process.stop()
    thread.join(5)

    with opened(echo.amqp_uri) as channel:
        assert channel.queue_declare("rpc-echo", passive=True).message_count == 0


def test_a_call_that_comes_while_stopping_goes_to_another_replica(
    echo: Toy, echo_environ: dict[str, str]
) -> None:
    """Under load, so that some are on their way when the queue is let go."""
    with ServiceProcess(ECHO, echo_environ) as second, ThreadPoolExecutor(8) as pool:
        eventually(lambda: "service_started" in second.log)
        with echo.taking(20):
            calls = [pool.submit(echo.call, "sleep", 0.05, within=3) for _ in range(400)]
        echo.process.stop()

        assert {call.result() for call in calls} == {0.05}


def test_an_answer_that_is_no_text_ends_nothing(echo: Toy) -> None:
    """A lone surrogate can be written in JSON and in Python, but not in UTF-8."""
    with pytest.raises(errors.ServiceError):
        echo.call("echo", "\ud800")

    assert echo.call("echo", "still here")["value"] == "still here"
    assert "service_died" not in echo.process.log


@pytest.mark.parametrize("address", ["amq.rabbitmq.reply-to.gone", "amq.rabbitmq.reply-to.g2dkAA="])
def test_an_answer_that_nobody_can_receive_disturbs_no_other(echo: Toy, address: str) -> None:
    before = echo.process.log.count("broker_lost")
    with opened(echo.amqp_uri) as channel:
        channel.basic_publish(_request(address), topology.RPC_EXCHANGE, "echo.echo")

    assert echo.call("echo", "still here")["value"] == "still here"
    assert echo.process.log.count("broker_lost") == before


def test_a_time_limit_of_eventlet_is_a_failure_like_any_other(echo: Toy) -> None:
    with pytest.raises(errors.ServiceError) as raised:
        echo.call("lose_patience", within=3)
    assert raised.value.code == "internal"

    echo.publish(event(id=str(uuid4()), data={"number": -4}), **CLOUD_EVENT)

    eventually(lambda: '"reason": "TimeoutError"' in echo.process.log)


def test_an_event_whose_headers_make_no_sense_ends_nothing(echo: Toy) -> None:
    event_id = str(uuid4())

    echo.publish(
        event(id=event_id, data={"number": -2}),
        **CLOUD_EVENT,
        application_headers={topology.ATTEMPTS_HEADER: "many"},
    )

    eventually(lambda: _logged(echo, "event_retried", event_id))
    assert "service_died" not in echo.process.log
    assert echo.answers()


def _logged(echo: Toy, what: str, event_id: str) -> bool:
    return any(what in line and event_id in line for line in echo.process.log.splitlines())


def _request(reply_to: str) -> Any:
    body = json.dumps({"args": [1], "kwargs": {}})
    return amqp.Message(body, content_type="application/json", reply_to=reply_to)


def _manage(rabbitmq: Any, method: str, path: str) -> Any:
    parts = urlsplit(rabbitmq.management_url)
    request = urllib.request.Request(
        f"http://{parts.hostname}:{parts.port}/api/{path}",
        method=method,
        headers={
            "Authorization": "Basic "
            + b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        },
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - loopback
        text = answer.read()
    return json.loads(text) if text else None
