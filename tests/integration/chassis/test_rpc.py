"""Remote calls: what arrives, what comes back, and what no request may do."""

import json
import time
from typing import Any

import amqp
import pytest

from chassis import call as calls
from chassis import errors, topology
from chassis.call import Actor, Call, Grant
from chassis.testing import eventually
from chassis.testing.rpc import RpcCaller
from chassis.testing.wire import opened
from tests.integration.chassis.conftest import Toy


def test_a_method_is_called_with_the_callers_context(echo: Toy) -> None:
    call = Call(actor=Actor("me", "person"), grants=(Grant("own", frozenset({"read"})),))

    with RpcCaller(echo.amqp_uri) as caller:
        answer = caller.call("echo", "echo", {"text": "邻里"}, call=call)

    assert answer["value"] == {"text": "邻里"}
    assert answer["actor"] == "me"


def test_no_other_header_of_a_message_enters_the_context(echo: Toy) -> None:
    answers: list[Any] = []
    headers = {"nameko.password": "of another", "linli-call": calls.encode(Call())}
    with opened(echo.amqp_uri) as channel:
        replies = "amq.rabbitmq.reply-to"
        channel.basic_consume(replies, no_ack=True, callback=answers.append)
        request = amqp.Message(
            '{"args": [], "kwargs": {}}',
            content_type="application/json",
            reply_to=replies,
            application_headers=headers,
        )
        channel.basic_publish(request, topology.RPC_EXCHANGE, "echo.context")
        channel.connection.drain_events(timeout=5)

    assert json.loads(answers[0].body)["result"] == ["linli_call"]


def test_an_error_keeps_its_kind_its_code_and_its_parameters(echo: Toy) -> None:
    with pytest.raises(errors.Conflict) as raised:
        echo.call("refuse")

    assert raised.value.code == "taken"
    assert raised.value.params == {"by": "another", "from": "free"}


def test_a_failure_of_ours_says_nothing_of_its_inside(echo: Toy) -> None:
    with pytest.raises(errors.ServiceError) as raised:
        echo.call("fail")

    assert raised.value.code == "internal"
    assert "secret" not in raised.value.detail


def test_a_phone_number_in_an_exception_does_not_reach_the_log(echo: Toy) -> None:
    with pytest.raises(errors.ServiceError):
        echo.call("fail")

    eventually(lambda: "rpc_failed" in echo.process.log)
    assert "13800001234" not in echo.process.log


@pytest.mark.parametrize(
    ("method", "args"), [("no_such_method", ()), ("echo", ()), ("echo", (1, 2))]
)
def test_a_call_that_fits_no_method_is_answered(
    echo: Toy, method: str, args: tuple[int, ...]
) -> None:
    with pytest.raises((errors.NotFound, errors.Invalid)):
        echo.call(method, *args)


def test_a_call_waits_no_longer_than_its_deadline(echo: Toy) -> None:
    started = time.monotonic()

    with pytest.raises(errors.Unavailable) as raised:
        echo.call("ask_itself", "sleep", [30], 0.5)

    assert raised.value.params["reason"] == "deadline"
    assert time.monotonic() - started < 3


def test_a_service_that_nobody_runs_is_told_at_once(echo: Toy) -> None:
    with pytest.raises(errors.Unavailable) as raised:
        echo.call("ask_nobody")

    assert raised.value.params == {
        "reason": "nobody_serves_it",
        "service": "nobody",
        "retry_after": 1,
    }


def test_a_request_expires_with_its_deadline(echo: Toy) -> None:
    """While the service is away its queue keeps requests only as long as somebody waits for
    them.
    """
    echo.process.kill()

    with pytest.raises(errors.Unavailable):
        echo.call("add", "expired", 1, within=0.5)
    with opened(echo.amqp_uri) as channel:
        eventually(lambda: channel.queue_declare("rpc-echo", passive=True).message_count == 0)
    echo.process.start()
    echo.ready()

    assert echo.rows("SELECT * FROM notes WHERE subject = 'expired'") == []


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"reply_to": "amq.rabbitmq.reply-to"},
        {"content_type": "application/json"},
        {"reply_to": "nowhere", "content_type": "application/x-python-serialize"},
        {"reply_to": "nowhere", "content_type": "application/json"},
        {
            "reply_to": "nowhere",
            "content_type": "application/json",
            "application_headers": {"linli-call": "{"},
        },
    ],
    ids=["bare", "no content type", "no reply address", "pickle", "broken body", "broken call"],
)
def test_a_broken_request_ends_nothing(echo: Toy, properties: dict[str, Any]) -> None:
    with opened(echo.amqp_uri) as channel:
        if properties.get("reply_to") == "amq.rabbitmq.reply-to":
            channel.basic_consume("amq.rabbitmq.reply-to", no_ack=True)
        for body in ("", "{", "[]", '{"args": 1, "kwargs": 2}', b"\xff\xfe"):
            channel.basic_publish(
                amqp.Message(body, **properties), topology.RPC_EXCHANGE, "echo.echo"
            )

    assert echo.call("echo", "still here")["value"] == "still here"
    assert echo.process.running
    assert _rpc_queue_is_empty(echo)


def _rpc_queue_is_empty(echo: Toy) -> bool:
    with opened(echo.amqp_uri) as channel:
        return bool(channel.queue_declare("rpc-echo", passive=True).message_count == 0)


def test_calls_are_answered_while_others_wait(echo: Toy) -> None:
    with RpcCaller(echo.amqp_uri) as caller:
        caller.send("echo", "sleep", 2)

        assert echo.call("echo", 2)["value"] == 2
