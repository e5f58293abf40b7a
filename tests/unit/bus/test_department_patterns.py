"""The patterns that keep departments apart, as regular expressions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import topology
from deploy import permissions

WATER = permissions.department_access("water")
_, MAY_BIND = WATER.topics[topology.EVENTS_EXCHANGE]

words = st.sampled_from(["ticket", "area", "filed", "v1", "water", "roads", "none", "340603", "e1"])
bindings = st.lists(st.one_of(words, st.sampled_from(["*", "#"])), max_size=8).map(".".join)
keys = st.tuples(
    st.sampled_from(["ticket", "area"]),
    st.sampled_from(["filed", "sent_back", "water"]),
    st.just("v1"),
    st.sampled_from(["water", "roads", "none"]),
    st.lists(st.sampled_from(["340603", "water", "v1", "e1"]), max_size=4).map(".".join),
).map(lambda parts: ".".join(filter(None, parts)))


@given(binding=bindings, key=keys)
def test_whatever_it_may_bind_brings_only_tickets_addressed_to_it(binding, key):
    if re.match(MAY_BIND, binding) and topology.key_matches(binding, key):
        noun, _event, _version, addressee, *_place = key.split(".")
        assert (noun, addressee) == ("ticket", "water")


@given(key=keys)
def test_it_may_bind_every_key_of_its_own_tickets(key):
    noun, _event, _version, addressee, *_place = key.split(".")
    own = (noun, addressee) == ("ticket", "water")

    assert bool(re.match(MAY_BIND, key)) is own


@pytest.mark.parametrize(
    "key",
    [
        "ticket.*.v1.water.#",
        "ticket.resolved.v1.water.#",
        "ticket.*.*.water.#",
        "ticket.*.v2.water.340603.008.002.*.g2",
        "ticket.*.v1.water",
    ],
)
def test_it_may_narrow_what_it_hears(key):
    assert re.match(MAY_BIND, key)


@pytest.mark.parametrize("name", ["water.events", "water.log", "water.anything.else"])
def test_names_of_its_own_are_its_own_to_read_and_to_bind_and_not_to_declare(name):
    assert not re.match(WATER.configure, name)
    assert re.match(WATER.write, name)
    assert re.match(WATER.read, name)


@pytest.mark.parametrize(
    "name",
    [
        "roads.events",
        "waters.events",
        "my.water.events",
        "linli.events.log",
        "linli.eventsx",
        "amq.default",
        "amq.gen-x",
        "rpc-tickets",
        "tickets.on_area_changed",
        "linli.retry.1000",
    ],
)
def test_nobody_elses_names_are_its_own(name):
    assert not re.match(WATER.configure, name)
    assert not re.match(WATER.write, name)
    assert not re.match(WATER.read, name)


def test_of_others_it_reads_the_events_exchange_only_and_writes_nothing():
    assert re.match(WATER.read, "linli.events")
    assert not re.match(WATER.write, "linli.events")
    assert not re.match(WATER.configure, "linli.events")


@pytest.mark.parametrize(
    "code",
    [
        *("tickets", "gateway", "linli", "none", "amq", "rpc", "nameko"),
        *("", "Water", "wa-ter", "wa.ter", ".*", "water\n", "w" * 41),
    ],
)
def test_a_department_cannot_take_a_name_that_is_in_use_or_no_word(code):
    with pytest.raises(permissions.UnknownCode):
        permissions.check_code(code)


@pytest.mark.parametrize("name", ["events", "log", "Billing", "on.ticket", ""])
def test_a_further_queue_cannot_take_a_name_that_is_in_use_or_no_word(name):
    with pytest.raises(permissions.UnknownName):
        permissions.further_name(name)


@pytest.mark.parametrize("code", ["water", "civil_affairs", "social_security", "g12", "12345"])
def test_a_department_is_a_lower_case_word(code):
    permissions.check_code(code)
