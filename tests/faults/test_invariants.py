"""Each invariant can fail: evidence of a run in which all went well, and what each kind of trouble
would have left instead.
"""

from dataclasses import replace

import pytest

from tests.faults.evidence import Evidence, Quiet, Seen, Step, Told
from tests.faults.invariants import INVARIANTS, violations
from tests.faults.ledger import Attempt, Entry

pytestmark = pytest.mark.slice

T = "ticket"
MOVES = (
    ("filing", "ticket_filed"),
    ("acceptance", "ticket_accepted"),
    ("assignment", "ticket_assigned"),
    ("resolution", "ticket_resolved"),
    ("follow-up", "ticket_rated"),
    ("reopening", "ticket_reopened"),
)
STEPS = [
    Step(T, number, move, event, frozenset({"water"} if number > 2 else ()))
    for number, (move, event) in enumerate(MOVES, 1)
]
WIRE = [Seen(f"e{s.sequence}", f"linli.tickets.{s.event}.v1", T, s.sequence) for s in STEPS]
TOLD = [
    Told(f"e{s.sequence}", T, s.sequence, "person", s.event, "delivered")
    for s in STEPS
    if s.event != "ticket_rated"
]


def entry(move, *statuses):
    """A command with its attempts; the last says what came of it."""
    told = Entry("key", "somebody", move, T, text="text" if move == "filing" else None)
    told.solved = "no" if move == "follow-up" else None
    told.attempts = [Attempt(status, 0.1) for status in statuses or (201,)]
    return told


WELL = Evidence(
    entries=[entry(move) for move, _ in MOVES if move != "reopening"],
    filings=[(T, "text")],
    history=STEPS,
    wire=WIRE,
    heard=WIRE[2:],
    streamed=WIRE,
    handled=[(f"notifications.on_{s.event}", f"e{s.sequence}") for s in STEPS],
    told=TOLD,
    progress={T: 6},
    texts={T: len(TOLD)},
    quiet=Quiet(outbox={"tickets": 0}, queues={"tickets.on_x": 0}, seconds=1.0),
)
AGAIN = [*WIRE, *WIRE[3:]]


def test_a_run_in_which_all_went_well_violates_nothing():
    assert violations(WELL) == {}


def test_duplicates_on_the_wire_and_repeated_requests_are_no_violation():
    entries = [entry("filing", 0, 503, 201), *WELL.entries[1:]]

    assert (
        violations(replace(WELL, entries=entries, wire=AGAIN, heard=AGAIN[2:], streamed=AGAIN))
        == {}
    )


@pytest.mark.parametrize("arrived", [len(TOLD), len(TOLD) - 1])
def test_a_text_whose_sender_died_may_have_arrived_or_not(arrived):
    told = [replace(TOLD[0], text="perhaps"), *TOLD[1:]]

    assert violations(replace(WELL, told=told, texts={T: arrived})) == {}
    assert violations(replace(WELL, told=told, texts={T: len(TOLD) - 2})) != {}


TROUBLE = {
    "an answered filing is not stored": ("i1", {"filings": []}),
    "an answered filing is stored twice": ("i1", {"filings": [(T, "text"), ("other", "text")]}),
    "an answered move is not stored": ("i1", {"history": [s for s in STEPS if s.sequence != 4]}),
    "an event never left": ("i2", {"wire": WIRE[:-1]}),
    "an event did not reach the subscriber": ("i2", {"heard": WIRE[3:]}),
    "an event did not come by SSE": ("i2", {"streamed": WIRE[1:]}),
    "an event was not handled": ("i2", {"handled": WELL.handled[1:]}),
    "somebody was told twice": ("i3", {"told": [*TOLD, TOLD[0]]}),
    "somebody was never told": ("i3", {"told": TOLD[1:]}),
    "a text came twice": ("i3", {"texts": {T: len(TOLD) + 1}}),
    "a text waits for ever": ("i3", {"told": [*TOLD[:-1], replace(TOLD[-1], text="queued")]}),
    "a ticket nobody filed": ("i4", {"filings": [*WELL.filings, ("other", "other")]}),
    "a move nobody made": ("i4", {"history": [*STEPS, Step(T, 7, "refusal", "ticket_refused")]}),
    "an event of no step": ("i4", {"wire": [*WIRE, Seen("e9", "linli.tickets.ticket_x.v1", T, 9)]}),
    "an event nobody logged": ("i4", {"heard": [*WIRE[2:], replace(WIRE[-1], id="forged")]}),
    "a message without an event": ("i4", {"told": [*TOLD, replace(TOLD[0], event="none")]}),
    "a command without an end": ("i5", {"entries": [*WELL.entries, entry("work", 0, 503)]}),
    "an answer that nobody promised": ("i5", {"entries": [*WELL.entries, entry("work", 500, 201)]}),
    "a refusal of what is in order": ("i5", {"entries": [*WELL.entries, entry("work", 412)]}),
    "the log in disorder": ("i6", {"wire": [WIRE[1], WIRE[0], *WIRE[2:]]}),
    "the stream in disorder": ("i6", {"streamed": [WIRE[1], WIRE[0], *WIRE[2:]]}),
    "the subscriber's queue in disorder": ("i6", {"heard": [*WIRE[3:], WIRE[2]]}),
    "one step told by two events": ("i6", {"wire": [*WIRE, replace(WIRE[0], id="other")]}),
    "an older event overwrote a newer": ("i6", {"progress": {T: 4}}),
    "an outbox that keeps something": ("i7", {"quiet": Quiet(outbox={"tickets": 1})}),
    "a queue that keeps something": ("i7", {"quiet": Quiet(queues={"tickets.on_x": 1})}),
    "an attempt that was counted": ("i7", {"quiet": Quiet(attempts=1)}),
    "rest that comes too late": ("i7", {"quiet": Quiet(seconds=31)}),
    "an innocent dead letter": ("i8", {"quiet": Quiet(dead={"tickets.on_x.dead": 1})}),
}


@pytest.mark.parametrize(("invariant", "left"), TROUBLE.values(), ids=list(TROUBLE))
def test_trouble_is_found(invariant, left):
    broken = violations(replace(WELL, **left))

    assert invariant in {name.split("_")[0] for name in broken}


def test_every_invariant_has_been_seen_to_fail():
    seen = {invariant for invariant, _ in TROUBLE.values()}

    assert seen == {name.split("_")[0] for name in INVARIANTS}
