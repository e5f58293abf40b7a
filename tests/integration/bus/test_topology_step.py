"""The topology step: it declares everything once, finds what was changed, and fills new queues."""

import dataclasses

import pytest

from chassis import topology as names
from deploy import permissions, topology
from deploy.backfill import PENDING_KEY
from deploy.topology import Plan, Service, TopologyDiffers, apply, check
from tests.integration.bus.wire import (
    AREA_ADDED,
    AREA_RENAMED,
    CONSUMER,
    channel_of,
    event,
    ids,
    publish,
)


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Nobody kills the broker here."""
    monkeypatch.setattr("deploy.topology.SETTLING_SECONDS", 0)


@pytest.fixture
def fresh(new_broker, plan):
    """A declared virtual host that a test may spoil; users are left out, other tests use them."""
    broker = new_broker()
    apply(broker, plan)
    yield broker
    broker.management.delete("vhosts", broker.vhost)


@pytest.fixture
def admin(fresh):
    with channel_of(fresh.amqp_uri) as channel:
        yield channel


def test_the_first_step_declares_and_the_second_finds_nothing_to_do(new_broker, plan):
    broker = new_broker()

    assert apply(broker, plan)
    assert apply(broker, plan) == []
    assert check(broker, plan) == []


def test_what_the_four_services_need_is_declared(new_broker):
    broker, wanted = new_broker(), topology.plan({})

    apply(broker, wanted)

    assert check(broker, wanted) == []


def test_a_granted_department_is_part_of_what_is_checked(fresh, plan, code):
    permissions.grant(fresh, code)
    try:
        assert check(fresh, plan) == []

        fresh.management.delete("topic-permissions", fresh.vhost, permissions.department_user(code))
        assert [each.subject for each in check(fresh, plan)] == [
            f"topic permissions of {permissions.department_user(code)}"
        ]

        apply(fresh, plan)
        assert check(fresh, plan) == []
    finally:
        permissions.revoke(fresh, code)


def test_a_binding_that_a_department_must_not_have_is_found_and_removed(fresh, plan, admin, code):
    permissions.grant(fresh, code)
    try:
        admin.queue_bind(f"{code}.events", "linli.events", "ticket.#")

        assert "which is not" in str(check(fresh, plan)[0])
        apply(fresh, plan)
        assert check(fresh, plan) == []
    finally:
        permissions.revoke(fresh, code)


DRIFTS = {
    "a queue deleted": lambda channel: channel.queue_delete(CONSUMER),
    "dead letters deleted": lambda channel: channel.queue_delete(f"{CONSUMER}.dead"),
    "a retry queue deleted": lambda channel: channel.queue_delete("linli.retry.1000"),
    "requests deleted": lambda channel: channel.queue_delete("rpc-tickets"),
    "a type unbound": lambda channel: channel.queue_unbind(
        CONSUMER, "linli.events", "area.added.v1.#"
    ),
    "a type too many": lambda channel: channel.queue_bind(CONSUMER, "linli.events", "#"),
    "the log unbound": lambda channel: channel.queue_unbind(
        "linli.events.log", "linli.events", "#"
    ),
    "requests unbound": lambda channel: channel.queue_unbind(
        "rpc-tickets", "nameko-rpc", "tickets.*"
    ),
    "an exchange deleted": lambda channel: channel.exchange_delete("linli.retry.10000"),
    "the events exchange deleted": lambda channel: channel.exchange_delete("linli.events"),
}


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS)
def test_what_was_changed_is_found_and_mended(fresh, plan, admin, drift):
    drift(admin)

    assert check(fresh, plan)
    apply(fresh, plan)
    assert check(fresh, plan) == []


def test_a_policy_that_was_changed_is_found_and_mended(fresh, plan):
    forever = {"pattern": r"^linli\.events\.log$", "definition": {"max-age": "99Y"}}
    fresh.management.put("policies", fresh.vhost, names.LOG_STREAM, body=forever)

    assert [each.subject for each in check(fresh, plan)] == [f"policy {names.LOG_STREAM}"]
    apply(fresh, plan)
    assert check(fresh, plan) == []


def test_users_passwords_and_permissions_that_were_changed_are_found_and_mended(fresh, plan):
    tickets, gateway, observer = (account.user for account in plan.accounts)
    api = fresh.management
    api.put("users", tickets, body={"password": "another", "tags": ""})
    api.put("users", gateway, body={"password": "two", "tags": "administrator"})
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    api.put("permissions", fresh.vhost, observer, body=everything)

    assert {each.subject: each.problem for each in check(fresh, plan)} == {
        f"user {tickets}": "another password",
        f"user {gateway}": "other tags",
        f"permissions of {observer}": "differs",
    }
    apply(fresh, plan)
    assert check(fresh, plan) == []


def test_a_queue_with_other_arguments_is_left_to_an_operator(fresh, plan, admin):
    admin.queue_delete(CONSUMER)
    admin.queue_declare(
        CONSUMER, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"}
    )
    before = fresh.snapshot().bindings

    with pytest.raises(TopologyDiffers, match="x-delivery-limit is None, not 200"):
        apply(fresh, plan)

    assert fresh.snapshot().bindings == before


def test_a_consumer_that_is_gone_gets_no_more_events_and_keeps_what_it_has(fresh, plan, admin):
    publish(admin, sent := event(AREA_ADDED), "area.added.v1.none.340603")

    apply(fresh, dataclasses.replace(plan, services=(Service("tickets", emits=True),)))
    publish(admin, event(AREA_ADDED), "area.added.v1.none.340603")

    assert ids(admin, CONSUMER) == [sent["id"]]


def test_a_new_consumers_queue_is_filled_from_the_log(new_broker):
    broker = new_broker()
    apply(broker, Plan((Service("tickets"),)))
    with channel_of(broker.amqp_uri) as channel:
        past = [
            publish_area(channel, AREA_ADDED, "area.added.v1.none.340603"),
            publish_area(channel, AREA_RENAMED, "area.renamed.v1.none.340603.008"),
            publish_area(channel, AREA_ADDED, "area.added.v1.none.340603.008"),
        ]
        publish(channel, event(), "ticket.filed.v1.water.340603")

        apply(broker, Plan((Service("tickets", ((CONSUMER, (AREA_ADDED, AREA_RENAMED)),)),)))

        assert ids(channel, CONSUMER) == past
        later = publish_area(channel, AREA_ADDED, "area.added.v1.none.340603")
        assert ids(channel, CONSUMER) == [later]


def test_a_backfill_that_was_interrupted_is_taken_up_by_the_next_step(new_broker):
    broker = new_broker()
    apply(broker, Plan((Service("tickets"),)))
    planned = Plan((Service("tickets", ((CONSUMER, (AREA_ADDED,)),)),))
    with channel_of(broker.amqp_uri) as channel:
        past = publish_area(channel, AREA_ADDED, "area.added.v1.none.340603")
        names.dead(CONSUMER)(channel).queue_declare()
        names.consumer(CONSUMER, [AREA_ADDED])(channel).queue_declare()
        channel.queue_bind(CONSUMER, names.EVENTS_EXCHANGE, PENDING_KEY)

        apply(broker, planned)

        assert ids(channel, CONSUMER) == [past]
        assert apply(broker, planned) == []


def test_a_long_log_is_read_to_its_end(new_broker):
    broker = new_broker()
    apply(broker, Plan((Service("tickets"),)))
    with channel_of(broker.amqp_uri) as channel:
        past = [publish_area(channel, AREA_ADDED, "area.added.v1.none.340603") for _ in range(450)]

        apply(broker, Plan((Service("tickets", ((CONSUMER, (AREA_ADDED,)),)),)))

        assert ids(channel, CONSUMER) == past


def publish_area(channel, event_type, key):
    sent = event(event_type)
    publish(channel, sent, key)
    return sent["id"]
