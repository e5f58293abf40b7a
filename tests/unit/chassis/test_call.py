from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import call as calls
from chassis import clock
from chassis.call import Actor, Call, Grant

texts = st.text(max_size=20)
grants = st.builds(Grant, texts, st.frozensets(texts, max_size=4))
any_call = st.builds(
    Call,
    actor=st.builds(Actor, st.none() | texts, texts, st.dictionaries(texts, texts, max_size=3)),
    grants=st.lists(grants, max_size=3).map(tuple),
    command_id=st.none() | texts,
    request_id=texts,
    traceparent=texts,
    locale=st.sampled_from(["zh-CN", "en"]),
)


@given(any_call)
def test_a_call_survives_the_wire(call: Call) -> None:
    assert calls.decode(calls.encode(call)) == call


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"actor": 1}', "null", '"x"'])
def test_what_is_no_call_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        calls.decode(text)


def test_operations_add_up_over_the_reaches_that_hold() -> None:
    call = Call(
        grants=(
            Grant("own", frozenset({"read", "withdraw"})),
            Grant("area:340603", frozenset({"read", "accept"})),
            Grant("department:water", frozenset({"work"})),
        )
    )

    assert call.may(lambda reach: reach != "department:water") == {"read", "withdraw", "accept"}
    assert call.reaches("read") == ("own", "area:340603")


def test_a_call_of_nobody_may_do_nothing() -> None:
    assert Call().may(lambda _: True) == frozenset()


def test_times_are_written_with_the_local_zone_and_read_with_any() -> None:
    moment = clock.parse("2026-11-01T00:00:00Z")

    assert clock.iso(moment) == "2026-11-01T08:00:00.000000+08:00"
    assert clock.parse(clock.iso(moment)) - moment == timedelta(0)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        clock.parse("2026-11-01T08:00:00")
