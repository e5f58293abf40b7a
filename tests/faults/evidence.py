"""What is left of a run when all is quiet: the clients' ledger, the databases, the log stream, a
subscriber's ledger and the phones, each as plain rows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.event_stream import Received
from tests.faults.ledger import Entry
from tests.stack.stack import Stack
from tests.stack.wire import Delivered

EMITTERS = ("residents", "tickets")
SUBSCRIBER = "water"
_NUMBER = re.compile(r"\d{8}-\d{6}")


@dataclass(frozen=True)
class Step:
    """A row of a ticket's history: what happened. `departments` had it before or have it after."""

    ticket: str
    sequence: int
    move: str
    event: str
    departments: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Seen:
    """An event on the wire, in the order of its reader."""

    id: str
    type: str
    ticket: str
    sequence: int


@dataclass(frozen=True)
class Told:
    """An item of somebody's inbox, and what became of the text that carries it, if one does."""

    event: str
    ticket: str
    sequence: int
    person: str
    purpose: str
    text: str | None = None


@dataclass(frozen=True)
class Quiet:
    """What must be nothing once all is healed: rows of outboxes, messages in queues, attempts
    counted; `seconds` is how long it took.
    """

    outbox: Mapping[str, int] = field(default_factory=dict)
    queues: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 0
    dead: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """Everything about the tickets of one run. `filings` are the texts of the tickets that are
    stored; `wire` is what the log has, `heard` what the subscriber got, `streamed` what came by
    SSE; `handled` the (consumer, event) pairs; `texts` how many each number's phone got.
    """

    entries: Sequence[Entry]
    filings: Sequence[tuple[str, str]]
    history: Sequence[Step]
    wire: Sequence[Seen]
    heard: Sequence[Seen]
    streamed: Sequence[Seen]
    handled: Sequence[tuple[str, str]]
    told: Sequence[Told]
    progress: Mapping[str, int]
    texts: Mapping[str, int]
    quiet: Quiet


def gather(
    stack: Stack,
    entries: Sequence[Entry],
    wire: Sequence[Delivered],
    heard: Sequence[Delivered],
    streamed: Sequence[Received],
    *,
    quiet: Quiet,
) -> Evidence:
    """Read the databases and put everything together."""
    filings = _filings(stack, entries)
    tickets = [ticket for ticket, _ in filings]
    own = set(tickets)
    seen = [each for each in map(_seen, wire) if each.ticket in own]
    return Evidence(
        entries=entries,
        filings=filings,
        history=_history(stack, tickets),
        wire=seen,
        heard=[each for each in map(_seen, heard) if each.ticket in own],
        streamed=[each for each in map(_streamed, streamed) if each.ticket in own],
        handled=_handled(stack, {each.id for each in seen}),
        told=_told(stack, tickets),
        progress=_progress(stack, tickets),
        texts=_texts(stack, tickets),
        quiet=quiet,
    )


def _filings(stack: Stack, entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Id and text of every ticket that this run's filings have made, answered or not."""
    texts = [entry.text for entry in entries if entry.move == "filing"]
    sql = "SELECT id::text, description FROM tickets WHERE description = ANY(:texts)"
    return [(row["id"], row["description"]) for row in stack.rows("tickets", sql, texts=texts)]


def _history(stack: Stack, tickets: Sequence[str]) -> list[Step]:
    sql = (
        "SELECT ticket::text, sequence, move, event, department,"
        " lag(department) OVER (PARTITION BY ticket ORDER BY sequence) AS before"
        " FROM history WHERE ticket::text = ANY(:tickets) ORDER BY ticket, sequence"
    )
    return [
        Step(
            row["ticket"],
            row["sequence"],
            row["move"],
            row["event"],
            frozenset(filter(None, (row["department"], row["before"]))),
        )
        for row in stack.rows("tickets", sql, tickets=list(tickets))
    ]


def _seen(message: Delivered) -> Seen:
    event = message.event
    return Seen(event["id"], event["type"], event["subject"], int(event["sequence"]))


def _streamed(received: Received) -> Seen:
    return Seen(received.id, received.type, received.subject, received.sequence)


def _handled(stack: Stack, events: set[str]) -> list[tuple[str, str]]:
    sql = "SELECT consumer, event_id::text FROM inbox WHERE event_id::text = ANY(:events)"
    return [
        (row["consumer"], row["event_id"])
        for row in stack.rows("notifications", sql, events=list(events))
    ]


def _told(stack: Stack, tickets: Sequence[str]) -> list[Told]:
    sql = (
        "SELECT n.event::text, n.ticket::text, n.sequence, n.person::text, n.purpose,"
        # Whoever took it died, perhaps after sending; when it was taken again later news had come.
        " CASE WHEN d.state = 'skipped' AND d.losses > 0 THEN 'perhaps' ELSE d.state END AS text"
        " FROM notification n LEFT JOIN delivery d ON d.notification = n.id"
        " WHERE n.ticket::text = ANY(:tickets)"
    )
    return [Told(**row) for row in stack.rows("notifications", sql, tickets=list(tickets))]


def _progress(stack: Stack, tickets: Sequence[str]) -> dict[str, int]:
    sql = "SELECT ticket::text, sequence FROM progress WHERE ticket::text = ANY(:tickets)"
    rows = stack.rows("notifications", sql, tickets=list(tickets))
    return {row["ticket"]: row["sequence"] for row in rows}


def _texts(stack: Stack, tickets: Sequence[str]) -> dict[str, int]:
    sql = "SELECT id::text, number FROM tickets WHERE id::text = ANY(:tickets)"
    numbers = {
        row["number"]: row["id"] for row in stack.rows("tickets", sql, tickets=list(tickets))
    }
    counts = dict.fromkeys(tickets, 0)
    for text in stack.texts():
        for number in _NUMBER.findall(text):
            if number in numbers:
                counts[numbers[number]] += 1
    return counts
