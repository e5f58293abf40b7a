"""What the server side of RPC does with a request that it gets around its own end."""

from types import SimpleNamespace

import amqp
import pytest

from chassis.queues import Delivery
from chassis.rpc import RpcServer


class Channel:
    """A channel of the AMQP library that notes what is settled."""

    connection = object()

    def __init__(self):
        self.settled = []

    def basic_ack(self, tag):
        self.settled.append(("ack", tag))

    def basic_reject(self, tag, requeue):
        self.settled.append(("requeue" if requeue else "reject", tag))


class Method:
    """An entrypoint."""

    method_name = "say"


@pytest.fixture
def server():
    """A server of no methods."""
    container = SimpleNamespace(service_name="echo", max_workers=1)
    server = RpcServer()
    server.container = container
    server.queues = SimpleNamespace(
        register_provider=lambda _: None, unregister_provider=lambda _: None
    )
    server.link = SimpleNamespace(send=lambda *_: None)
    server.setup()
    return server


def request(channel):
    """A well-formed request for a method."""
    raw = amqp.Message('{"args": [], "kwargs": {}}', content_type="application/json", reply_to="me")
    raw.channel = channel
    raw.delivery_info = {"routing_key": "echo.say", "redelivered": False, "delivery_tag": 7}
    return Delivery(raw)


def test_a_request_that_comes_while_methods_are_taken_away_goes_back_to_the_queue(server):
    channel, method = Channel(), Method()
    server.register_provider(method)

    server.unregister_provider(method)
    server.handle_message(request(channel))

    assert channel.settled == [("requeue", 7)]


def test_a_request_for_a_method_that_never_was_is_answered(server):
    channel = Channel()

    server.handle_message(request(channel))

    assert channel.settled == [("ack", 7)]
