"""What the broker users of a service and of the observer may do, and no more."""

import json

import amqp
import pytest
from amqp.exceptions import AccessRefused

from deploy.accounts import Account
from tests.integration.bus.wire import CONSUMER, channel_of, event, message, publish, take

pytestmark = pytest.mark.usefixtures("emptied")


def channel_as(broker, plan, service):
    account: Account = next(each for each in plan.accounts if each.user.startswith(service))
    return channel_of(broker.uri_for(account.user, account.password))


@pytest.fixture
def tickets(broker, plan):
    with channel_as(broker, plan, "tickets") as channel:
        yield channel


@pytest.fixture
def gateway(broker, plan):
    with channel_as(broker, plan, "gateway") as channel:
        yield channel


@pytest.fixture
def observer(broker, plan):
    with channel_as(broker, plan, "observer") as channel:
        yield channel


def test_a_service_publishes_events_and_consumes_its_own(tickets):
    sent = event("linli.residents.area_added.v1")

    publish(tickets, sent, "area.added.v1.none.340603")

    assert json.loads(take(tickets, CONSUMER).body) == sent


def test_a_service_answers_a_request_through_the_default_exchange(tickets, gateway):
    answers = []
    gateway.basic_consume("amq.rabbitmq.reply-to", no_ack=True, callback=answers.append)
    request = amqp.Message("{}", reply_to="amq.rabbitmq.reply-to", expiration="2000")
    gateway.basic_publish(request, "nameko-rpc", "tickets.file_ticket", mandatory=True)

    asked = take(tickets, "rpc-tickets")
    tickets.basic_publish(amqp.Message("answer"), "", asked.reply_to)
    gateway.connection.drain_events(timeout=10)

    assert [answer.body for answer in answers] == ["answer"]


def test_a_service_puts_off_and_gives_up_what_it_could_not_handle(tickets, channel):
    publish(tickets, event(), CONSUMER, exchange="linli.retry.600000")
    publish(tickets, event(), f"{CONSUMER}.dead", exchange="")

    assert take(channel, "linli.retry.600000")
    assert take(channel, f"{CONSUMER}.dead")


def test_the_service_that_serves_the_feed_follows_the_log(gateway, channel):
    received = []
    gateway.basic_qos(0, 10, False)
    gateway.basic_consume(
        "linli.events.log", callback=received.append, arguments={"x-stream-offset": "next"}
    )

    publish(channel, event(), "ticket.filed.v1.roads.340603")
    gateway.connection.drain_events(timeout=10)

    assert received


@pytest.mark.parametrize(
    "attempt",
    {
        "declare a queue": lambda channel: channel.queue_declare("tickets.more", durable=True),
        "delete its queue": lambda channel: channel.queue_delete(CONSUMER),
        "bind its queue": lambda channel: channel.queue_bind(CONSUMER, "linli.events", "#"),
        "read another service's requests": lambda channel: channel.basic_get("rpc-gateway"),
        "read the log": lambda channel: channel.basic_consume("linli.events.log"),
        "read what waits for others": lambda channel: channel.basic_get("linli.retry.1000"),
        "delete the events exchange": lambda channel: channel.exchange_delete("linli.events"),
    }.items(),
    ids=lambda item: item[0],
)
def test_a_service_may_not(tickets, attempt):
    tickets.basic_qos(0, 1, False)

    with pytest.raises(AccessRefused):
        attempt[1](tickets)


def test_a_service_that_emits_nothing_may_not_publish_events(gateway):
    gateway.basic_publish(message(event()), "linli.events", "ticket.filed.v1.water.340603")

    with pytest.raises(AccessRefused):
        gateway.basic_qos(0, 1, False)


def test_the_observer_hears_every_key_in_queues_that_the_server_names(observer, channel):
    queue = observer.queue_declare("", exclusive=True).queue
    observer.queue_bind(queue, "linli.events", "#")
    sent = event()

    publish(channel, sent, "ticket.filed.v1.roads.340603")

    assert json.loads(take(observer, queue).body) == sent


def test_the_observer_reads_the_log(observer, channel):
    publish(channel, event(), "ticket.filed.v1.roads.340603")
    received = []
    observer.basic_qos(0, 10, False)
    observer.basic_consume(
        "linli.events.log", callback=received.append, arguments={"x-stream-offset": "first"}
    )

    observer.connection.drain_events(timeout=10)

    assert received


@pytest.mark.parametrize(
    "attempt",
    {
        "publish an event": lambda channel: channel.basic_publish(
            message(event()), "linli.events", "ticket.filed.v1.water.340603"
        ),
        "publish to a queue": lambda channel: channel.basic_publish(message(event()), "", CONSUMER),
        "read a service's queue": lambda channel: channel.basic_get(CONSUMER),
        "read dead letters": lambda channel: channel.basic_get(f"{CONSUMER}.dead"),
        "declare a queue with a name": lambda channel: channel.queue_declare("mine"),
        "listen to commands": lambda channel: channel.queue_bind(
            channel.queue_declare("", exclusive=True).queue, "nameko-rpc", "#"
        ),
    }.items(),
    ids=lambda item: item[0],
)
def test_the_observer_may_not(observer, attempt):
    with pytest.raises(AccessRefused):
        _and_hear(observer, attempt[1])


def _and_hear(channel, attempt):
    """Publishing is not answered; asking for something else afterwards is."""
    attempt(channel)
    channel.basic_qos(0, 1, False)
