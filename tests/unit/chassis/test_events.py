import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import events
from chassis.broker import backoff
from chassis.errors import Permanent

ENVELOPE = {
    "specversion": "1.0",
    "id": "1",
    "type": "linli.echo.note_added.v1",
    "source": "/echo",
    "subject": "s",
    "time": "2026-11-01T08:00:00+08:00",
    "sequence": "0000000042",
    "data": {"number": 1},
}


def test_an_event_is_read() -> None:
    event = events.parse(json.dumps(ENVELOPE))

    assert (event.subject, event.sequence, event.data) == ("s", 42, {"number": 1})


@pytest.mark.parametrize("name", [name for name in ENVELOPE if name != "data"])
def test_an_event_without_a_required_attribute_can_never_be_handled(name: str) -> None:
    broken = {key: value for key, value in ENVELOPE.items() if key != name}

    with pytest.raises(Permanent):
        events.parse(json.dumps(broken))


@given(st.binary() | st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_no_body_whatever_raises_anything_else(body: bytes | str) -> None:
    with pytest.raises(Permanent):
        events.parse(body)


def test_a_body_nested_without_end_can_never_be_handled() -> None:
    with pytest.raises(Permanent):
        events.parse("[" * 100_000)


def test_a_malformed_event_type_is_refused_where_it_is_declared() -> None:
    with pytest.raises(TypeError):
        type("Broken", (events.EventSchema,), {"type": "linli.Broken", "source": "/x"})


def test_reconnecting_pauses_grow_to_a_second_and_no_further() -> None:
    pauses = backoff()

    assert [round(next(pauses), 1) for _ in range(6)] == [0.2, 0.5, 0.8, 1.0, 1.0, 1.0]
