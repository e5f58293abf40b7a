"""The invariants, each a function from evidence to what breaks it, in words; nothing when it holds.

I1 every answered write is stored once · I2 every event reached every subscriber · I3 its effect
happened once · I4 nothing happened without a cause · I5 every command was settled by sending it
again · I6 order is kept and no older event overwrote a newer · I7 all is quiet soon after healing,
and no attempt was counted · I8 dead letters are the poison that was sent.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from tests.faults.evidence import SUBSCRIBER, Evidence, Seen, Step
from tests.faults.ledger import Entry, is_promised

QUIET_WITHIN = 30.0
NEWS = frozenset(
    {
        *("ticket_filed", "ticket_accepted", "ticket_refused", "ticket_assigned"),
        *("ticket_started", "ticket_sent_back", "ticket_resolved", "ticket_reopened"),
        *("ticket_closed", "ticket_withdrawn", "ticket_commented"),
    }
)
"""What notifications consumes, a queue for each."""
STEPS = NEWS - {"ticket_commented"}


def i1_every_answered_write_is_stored_once(evidence: Evidence) -> list[str]:
    """A 2xx of a filing is one ticket, a 2xx of a move one row of history."""
    stored = Counter(text for _, text in evidence.filings)
    moves = Counter((step.ticket, step.move) for step in evidence.history)
    asked = Counter((e.ticket, e.move) for e in _done(evidence) if e.move != "filing")
    filed = [entry for entry in _done(evidence) if entry.move == "filing"]
    return [
        *(f"{e.text} stored {stored[e.text]} times" for e in filed if stored[e.text] != 1),
        *(
            f"{ticket}: {move} answered {asked[ticket, move]} times, stored {count}"
            for ticket, move in asked
            if (count := moves[ticket, move] - _consequences(evidence, ticket, move))
            != asked[ticket, move]
        ),
    ]


def i2_every_event_reached_every_subscriber(evidence: Evidence) -> list[str]:
    """Every step of every ticket is in the log and in the stream, in the subscriber's queue if it
    concerns it, and was handled by the consumer that is there for it.
    """
    logged, heard = _steps_of(evidence.wire), _steps_of(evidence.heard)
    streamed = _steps_of(evidence.streamed)
    ids = {(seen.ticket, seen.sequence): seen.id for seen in evidence.wire}
    handled = set(evidence.handled)
    missing = []
    for step in evidence.history:
        where = (step.ticket, step.sequence)
        if where not in logged:
            missing.append(f"{_named(step)} is not in the log")
        if where not in streamed:
            missing.append(f"{_named(step)} did not come by SSE")
        if SUBSCRIBER in step.departments and where not in heard:
            missing.append(f"{_named(step)} did not reach {SUBSCRIBER}")
        if step.event in NEWS and (_consumer(step.event), ids.get(where)) not in handled:
            missing.append(f"{_named(step)} was not handled by {_consumer(step.event)}")
    return missing


def i3_every_effect_happened_once(evidence: Evidence) -> list[str]:
    """Nobody was told the same twice, and every text that was sent arrived once; one whose sender
    died may have.
    """
    told = Counter(
        (told.ticket, told.sequence, told.person, told.purpose) for told in evidence.told
    )
    reporters = Counter(
        (told.ticket, told.sequence) for told in evidence.told if told.purpose in NEWS
    )
    sent = Counter(told.ticket for told in evidence.told if told.text == "delivered")
    perhaps = Counter(told.ticket for told in evidence.told if told.text == "perhaps")
    unsettled = [told for told in evidence.told if told.text == "queued"]
    return [
        *(f"{what} was told {count} times" for what, count in told.items() if count != 1),
        *(
            f"{_named(step)}: its reporter was told {reporters[step.ticket, step.sequence]} times"
            for step in evidence.history
            if step.event in STEPS and reporters[step.ticket, step.sequence] != 1
        ),
        *(
            f"{ticket}: {sent[ticket]} texts delivered, {count} arrived"
            for ticket, count in evidence.texts.items()
            if not sent[ticket] <= count <= sent[ticket] + perhaps[ticket]
        ),
        *(f"a text about {told.ticket} {told.sequence} still waits" for told in unsettled),
    ]


def i4_nothing_happened_without_a_cause(evidence: Evidence) -> list[str]:
    """Every ticket, step, event and message goes back to a command that somebody sent."""
    asked = Counter((entry.ticket, entry.move) for entry in evidence.entries)
    moves = Counter((step.ticket, step.move) for step in evidence.history)
    steps = {(step.ticket, step.sequence): step for step in evidence.history}
    events = {seen.id for seen in evidence.wire}
    return [
        *_uncaused_filings(evidence),
        *(
            f"{ticket}: {move} happened {count} times, asked for {asked[ticket, move]} times"
            for (ticket, move), count in moves.items()
            if move not in ("filing", "closing")
            and count - _consequences(evidence, ticket, move) > asked[ticket, move]
        ),
        *(
            f"event {seen.id} {seen.type} of {seen.ticket} tells of no step"
            for seen in evidence.wire
            if not _tells_of(seen, steps.get((seen.ticket, seen.sequence)))
        ),
        *(
            f"{seen.id} was heard but never logged"
            for seen in (*evidence.heard, *evidence.streamed)
            if seen.id not in events
        ),
        *(
            f"{told.purpose} of {told.ticket} tells of an event that nobody saw"
            for told in evidence.told
            if told.event not in events
        ),
    ]


def i5_every_command_was_settled(evidence: Evidence) -> list[str]:
    """Timeouts and 503 are settled by the same key; nothing is refused that was in order, and no
    answer is one that nobody has promised.
    """
    return [
        *(
            f"{entry.move} of {entry.ticket or entry.text} ended with "
            f"{entry.attempts[-1] if entry.attempts else 'no attempt'} of {len(entry.attempts)}"
            for entry in evidence.entries
            if not entry.done
        ),
        *(
            f"{entry.move} of {entry.ticket or entry.text} was answered {attempt}"
            for entry in evidence.entries
            for attempt in entry.attempts[:-1]
            if not is_promised(attempt)
        ),
    ]


def i6_order_is_kept(evidence: Evidence) -> list[str]:
    """Log, subscriber and stream got each ticket's events in order, and what notifications last
    knows of a ticket is its newest step.
    """
    last = {
        step.ticket: step.sequence for step in evidence.history if step.event in STEPS
    }  # history is in order
    return [
        *(f"log: {text}" for text in _disorder(evidence.wire)),
        *(f"{SUBSCRIBER}: {text}" for text in _disorder(evidence.heard)),
        *(f"SSE: {text}" for text in _disorder(evidence.streamed)),
        *(
            f"{ticket} is at {sequence}, notifications knows {evidence.progress.get(ticket)}"
            for ticket, sequence in last.items()
            if evidence.progress.get(ticket) != sequence
        ),
    ]


def i7_all_is_quiet(evidence: Evidence) -> list[str]:
    """Outboxes and queues are empty within 30 s, and no attempt was counted meanwhile."""
    quiet = evidence.quiet
    late = quiet.seconds > QUIET_WITHIN
    return [
        *(f"outbox of {name}: {count}" for name, count in quiet.outbox.items() if count),
        *(f"queue {name}: {count}" for name, count in quiet.queues.items() if count),
        *([f"{quiet.attempts} attempts were counted"] if quiet.attempts else []),
        *([f"quiet only after {quiet.seconds:.1f} s"] if late else []),
    ]


def i8_dead_letters_are_poison(evidence: Evidence) -> list[str]:
    """Of a run that sent no poison nothing is dead."""
    return [
        f"{count} dead letters of {name}" for name, count in evidence.quiet.dead.items() if count
    ]


INVARIANTS: Mapping[str, Callable[[Evidence], list[str]]] = {
    check.__name__: check
    for check in (
        i1_every_answered_write_is_stored_once,
        i2_every_event_reached_every_subscriber,
        i3_every_effect_happened_once,
        i4_nothing_happened_without_a_cause,
        i5_every_command_was_settled,
        i6_order_is_kept,
        i7_all_is_quiet,
        i8_dead_letters_are_poison,
    )
}


def violations(evidence: Evidence) -> dict[str, list[str]]:
    """What breaks which invariant; empty when all hold."""
    found = {name: check(evidence) for name, check in INVARIANTS.items()}
    return {name: broken for name, broken in found.items() if broken}


def _done(evidence: Evidence) -> Iterator[Entry]:
    return (entry for entry in evidence.entries if entry.done)


def _consequences(evidence: Evidence, ticket: str | None, move: str) -> int:
    """How many of a ticket's steps followed from its reporter's answers rather than a command."""
    if move != "reopening":
        return 0
    answers = (e for e in evidence.entries if (e.ticket, e.move) == (ticket, "follow-up"))
    return sum(entry.solved == "no" for entry in answers)


def _uncaused_filings(evidence: Evidence) -> list[str]:
    asked = {entry.text for entry in evidence.entries if entry.move == "filing"}
    stored = Counter(text for _, text in evidence.filings)
    return [
        f"{text} is stored {count} times"
        for text, count in stored.items()
        if text not in asked or count > 1
    ]


def _tells_of(seen: Seen, step: Step | None) -> bool:
    return step is not None and seen.type == f"linli.tickets.{step.event}.v1"


def _steps_of(seen: Sequence[Seen]) -> set[tuple[str, int]]:
    return {(each.ticket, each.sequence) for each in seen}


def _disorder(seen: Sequence[Seen]) -> list[str]:
    """Where a ticket's events, each counted when it first came, are not in order; a repeated one
    must be the same event.
    """
    first: dict[str, dict[int, str]] = defaultdict(dict)
    found = []
    for each in seen:
        known = first[each.ticket].setdefault(each.sequence, each.id)
        if known != each.id:
            found.append(f"{each.ticket} {each.sequence} is both {known} and {each.id}")
    for ticket, sequences in first.items():
        wrong = [pair for pair in pairwise(sequences) if pair[0] > pair[1]]
        found += [f"{ticket}: {earlier} came before {later}" for earlier, later in wrong]
    return found


def _consumer(event: str) -> str:
    return f"notifications.on_{event}"


def _named(step: Step) -> str:
    return f"{step.event} {step.sequence} of {step.ticket}"
