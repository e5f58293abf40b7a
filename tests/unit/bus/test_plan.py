"""What the four services ask of the broker."""

import importlib

import pytest

from chassis.topology import RETRY_DELAYS_MS, retry_exchange, subscriber, subscriber_extra
from deploy import topology


@pytest.fixture(scope="module")
def plan():
    return topology.plan({})


def test_every_service_has_a_queue_for_its_requests(plan):
    names = {queue.name for queue in plan.queues()}

    assert {"rpc-residents", "rpc-tickets", "rpc-notifications", "rpc-gateway"} <= names


def test_every_consumers_queue_has_dead_letters(plan):
    names = {queue.name for queue in plan.queues()}
    consumers = [queue for service in plan.services for queue, _ in service.consumers]

    assert consumers
    assert {f"{queue}.dead" for queue in consumers} <= names


def test_every_event_that_is_consumed_is_emitted_by_some_service(plan):
    modules = [
        importlib.import_module(f"services.{service.name}.events")
        for service in plan.services
        if service.emits
    ]
    emitted = {getattr(each, "type", None) for module in modules for each in vars(module).values()}
    consumers = [types for service in plan.services for _, types in service.consumers]
    consumed = {event_type for types in consumers for event_type in types}

    assert consumed <= emitted


def test_users_are_planned_as_far_as_the_environment_names_them():
    environ = {
        "LINLI_AMQP_URI_TICKETS": "amqp://linli_tickets:s%40crt@broker:5672/linli",
        "LINLI_AMQP_URI_OBSERVER": "amqp://observer:other@broker:5672/linli",
    }

    tickets, observer = topology.plan(environ).accounts

    assert (tickets.user, tickets.password) == ("linli_tickets", "s@crt")
    assert tickets.access.read == "^(rpc\\-tickets|tickets\\..*)$"
    assert observer.user == "observer"


def test_only_what_emits_may_publish_events_and_only_the_gateway_reads_the_log():
    environ = {
        f"LINLI_AMQP_URI_{name}": f"amqp://{name.lower()}:x@broker/linli"
        for name in ("RESIDENTS", "TICKETS", "NOTIFICATIONS", "GATEWAY")
    }
    accesses = {account.user: account.access for account in topology.plan(environ).accounts}

    def those(pattern, kind):
        return {user for user, access in accesses.items() if pattern in getattr(access, kind)}

    assert those(r"|linli\.events)", "write") == {"residents", "tickets"}
    assert those(r"linli\.events\.log", "read") == {"gateway"}


def test_no_queue_is_left_to_a_default_that_changes_with_the_brokers_version(plan):
    queues = [*plan.queues(), *subscriber("water", "ticket"), subscriber_extra("water", "billing")]
    arguments = {queue.name: queue.queue_arguments for queue in queues}

    assert {each["x-queue-type"] for each in arguments.values()} == {"classic", "quorum", "stream"}
    unlimited = {
        name
        for name, each in arguments.items()
        if each["x-queue-type"] == "quorum" and "x-delivery-limit" not in each
    }
    # Nobody reads what waits for its next attempt: time takes it out.
    assert unlimited == {retry_exchange(delay) for delay in RETRY_DELAYS_MS}
    assert all(queue.durable for queue in queues)
