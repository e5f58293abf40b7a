"""The shared retry queues: a message waits, and returns to the queue that its key names."""

import json
import time
from functools import partial

import pytest

from chassis import topology
from chassis.testing import eventually
from deploy.topology import apply
from tests.integration.bus.wire import CONSUMER, channel_of, count, event, message, publish, take

pytestmark = pytest.mark.usefixtures("emptied")


def test_a_message_returns_after_its_delay_to_the_queue_that_its_key_names(channel):
    sent = event()
    started = time.monotonic()

    publish(channel, sent, CONSUMER, exchange=topology.retry_exchange(1_000), attempts=1)
    returned = take(channel, CONSUMER)

    assert time.monotonic() - started >= 1.0
    assert json.loads(returned.body) == sent
    assert returned.headers["attempts"] == 1
    assert returned.content_type == "application/cloudevents+json; charset=utf-8"
    assert returned.delivery_info["routing_key"] == CONSUMER


def test_two_queues_share_a_delay_and_each_gets_its_own_back(channel):
    for queue in ("rpc-tickets", "rpc-gateway"):
        publish(channel, event(subject=queue), queue, exchange=topology.retry_exchange(1_000))

    for queue in ("rpc-tickets", "rpc-gateway"):
        assert json.loads(take(channel, queue).body)["subject"] == queue


def test_a_copy_of_an_event_that_concerned_two_departments_returns_to_its_consumer_only(
    channel, code, granted
):
    granted(code)
    headers = {"CC": [f"{code}.events"], "linli-attempts": 1}
    body = message(event(), **topology.headers_to_carry(headers))

    channel.basic_publish(body, topology.retry_exchange(1_000), CONSUMER)

    assert take(channel, CONSUMER)
    assert count(channel, f"{code}.events") == 0


def test_what_waits_for_a_queue_that_is_gone_is_kept(new_broker, plan):
    broker = new_broker()
    apply(broker, plan)
    with channel_of(broker.amqp_uri) as channel:
        channel.queue_delete(CONSUMER)

        publish(channel, event(), CONSUMER, exchange=topology.retry_exchange(1_000))

    waiting = partial(broker.management.get, "queues", broker.vhost, topology.retry_exchange(1_000))
    # Its time has passed and the broker, which has nowhere to put it, tries again every 3 minutes.
    eventually(lambda: waiting().get("messages_dlx") == 1, within=30)


def test_what_waits_survives_the_broker(rabbitmq, new_broker, plan):
    broker = new_broker()
    apply(broker, plan)
    sent = event()
    with channel_of(broker.amqp_uri) as channel:
        publish(channel, sent, CONSUMER, exchange=topology.retry_exchange(1_000))

    rabbitmq.kill()
    rabbitmq.start()

    with channel_of(broker.amqp_uri) as channel:
        assert json.loads(take(channel, CONSUMER).body) == sent


def test_what_a_consumer_rejects_is_among_its_dead_letters(channel):
    publish(channel, event("linli.residents.area_added.v1"), "area.added.v1.none.340603")
    rejected = eventually(lambda: channel.basic_get(CONSUMER))

    channel.basic_reject(rejected.delivery_tag, requeue=False)

    assert take(channel, f"{CONSUMER}.dead").headers["x-first-death-reason"] == "rejected"


@pytest.mark.parametrize("persistent", [True, False])
def test_transient_requests_are_never_written_to_the_brokers_disk(rabbitmq, channel, persistent):
    """A request may carry a phone number. Persistent ones would be written, but none are sent."""
    canary = f"canary-{time.time_ns()}"
    body = message({"phone": canary, "filling": "x" * 200})
    body.properties["delivery_mode"] = 2 if persistent else 1
    channel.queue_purge("rpc-tickets")

    for _ in range(topology.RPC_QUEUE_LENGTH):
        channel.basic_publish(body, "nameko-rpc", "tickets.file_ticket")
    eventually(lambda: count(channel, "rpc-tickets") == topology.RPC_QUEUE_LENGTH)
    time.sleep(0.5)  # the broker flushes what it writes well within that

    assert _on_disk(rabbitmq.folder, canary) is persistent
    channel.queue_purge("rpc-tickets")


def _on_disk(folder, text):
    files = [path for path in (folder / "data").rglob("*") if path.is_file()]
    return any(text.encode() in path.read_bytes() for path in files)
