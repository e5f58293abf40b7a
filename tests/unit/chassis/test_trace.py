"""What a traceparent is, and what it costs when nobody records."""

import subprocess
import sys

import pytest

from chassis import trace
from chassis.call import Call, system_call
from chassis.errors import Conflict, Unavailable, fault

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "broken", [None, "", 1, "00-1-2-3", f"00-{'0' * 32}-{'1' * 16}-01", "ff" * 30]
)
def test_a_broken_trace_starts_anew(broken):
    assert not trace.valid(broken)
    assert trace.valid(trace.continued(broken))


def test_a_new_trace_says_that_nobody_records_it():
    assert trace.valid(trace.start())
    assert trace.start().endswith("-00")


def test_a_span_that_nobody_records_passes_on_what_it_was_given():
    with trace.span("anything", trace.SERVER, PARENT) as span:
        span.tell({"a": 1})

        assert span.traceparent == PARENT
        assert Call(traceparent=PARENT).under(span.traceparent).traceparent == PARENT


def test_without_a_parent_it_makes_one_up():
    assert trace.valid(trace.span("anything", trace.SERVER, None).traceparent)


def test_what_is_done_of_ones_own_accord_belongs_to_the_span_that_it_is_done_in():
    outside = system_call("echo").traceparent
    with trace.within(PARENT):
        inside, kept = system_call("echo").traceparent, trace.kept()

    assert (outside, inside) == ("", PARENT)
    assert (trace.kept(), kept) == (None, PARENT)


def test_a_refusal_is_an_answer_and_no_fault():
    assert fault(Conflict()) is None
    assert fault(Unavailable()) == "unavailable"
    assert fault(KeyError("words")) == "KeyError"


def test_nothing_of_opentelemetry_is_imported_where_nobody_records():
    program = "import chassis.runner, sys; print([n for n in sys.modules if 'opentelemetry' in n])"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert said.stdout.strip() == "[]"
