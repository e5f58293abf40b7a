"""Routing keys, binding keys, and what a copy of a message carries."""

import pytest

from chassis import topology


def test_a_routing_key_names_noun_event_version_addressee_and_place():
    key = topology.routing_key("linli.tickets.ticket_sent_back.v1", "water", "340603.008.002.e1.g2")

    assert key == "ticket.sent_back.v1.water.340603.008.002.e1.g2"


def test_an_event_without_addressee_or_place_is_addressed_to_none():
    key = topology.routing_key("linli.residents.department_added.v1")

    assert key == "department.added.v1.none"


@pytest.mark.parametrize(
    ("event_type", "addressee", "place"),
    [
        ("ticket_filed", "water", "340603"),
        ("linli.tickets.filed.v1", "water", "340603"),
        ("linli.tickets.ticket_filed", "water", "340603"),
        ("linli.tickets.ticket_filed.v1", "wa.ter", "340603"),
        ("linli.tickets.ticket_filed.v1", "#", "340603"),
        ("linli.tickets.ticket_filed.v1", "*", "340603"),
        ("linli.tickets.ticket_filed.v1", "", "340603"),
        ("linli.tickets.ticket_filed.v1", "water", "340603..e1"),
        ("linli.tickets.ticket_filed.v1", "water", "e1\n"),
        ("linli.tickets.ticket_filed.v1", "water", "e1." * 80 + "g1"),
    ],
)
def test_what_cannot_be_part_of_a_key_is_refused(event_type, addressee, place):
    with pytest.raises(ValueError):
        topology.routing_key(event_type, addressee, place)


def test_every_further_addressee_gets_one_copy():
    copies = topology.carbon_copies(
        "linli.tickets.ticket_assigned.v1", ["roads", "gas", "roads"], "340603"
    )

    assert copies == ["ticket.assigned.v1.roads.340603", "ticket.assigned.v1.gas.340603"]


def test_a_binding_key_takes_in_every_addressee_and_place():
    assert topology.binding_key("linli.residents.area_renamed.v1") == "area.renamed.v1.#"


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("#", "", True),
        ("#", "a.b.c", True),
        ("a.#", "a", True),
        ("a.#", "a.b.c", True),
        ("a.#", "b.a", False),
        ("a.*", "a.b", True),
        ("a.*", "a", False),
        ("a.*", "a.b.c", False),
        ("a.#.c", "a.c", True),
        ("a.#.c", "a.b.b.c", True),
        ("a.#.c", "a.b.b", False),
        ("*.*.v1.water.#", "ticket.filed.v1.water.340603", True),
        ("*.*.v1.water.#", "ticket.filed.v1.roads.water", False),
    ],
)
def test_keys_match_as_in_a_topic_exchange(pattern, key, matches):
    assert topology.key_matches(pattern, key) is matches


def test_a_copy_carries_neither_its_deaths_nor_its_further_addressees():
    headers = {
        "linli-attempts": 2,
        "traceparent": "00-a-b-01",
        "CC": ["ticket.filed.v1.roads"],
        "BCC": ["x"],
        "x-death": [{"queue": "q"}],
        "x-first-death-queue": "q",
        "x-last-death-reason": "expired",
        "x-delivery-count": 3,
        "x-stream-offset": 7,
    }

    assert topology.headers_to_carry(headers) == {
        "linli-attempts": 2,
        "traceparent": "00-a-b-01",
    }


def test_every_queue_says_what_it_is_so_that_no_default_of_the_broker_decides():
    queues = [
        *topology.shared(),
        topology.rpc("tickets"),
        topology.consumer("tickets.on_area_changed", ["linli.residents.area_added.v1"]),
        topology.dead("tickets.on_area_changed"),
        *topology.subscriber("water", "ticket"),
    ]

    kinds = {queue.name: queue.queue_arguments["x-queue-type"] for queue in queues}

    assert kinds == {
        "linli.events.log": "stream",
        "linli.retry.1000": "quorum",
        "linli.retry.10000": "quorum",
        "linli.retry.60000": "quorum",
        "linli.retry.600000": "quorum",
        "rpc-tickets": "classic",
        "tickets.on_area_changed": "quorum",
        "tickets.on_area_changed.dead": "quorum",
        "water.events": "quorum",
        "water.log": "stream",
    }
