"""A drill: load, something that breaks, healing, and the ledgers held against the databases."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chassis.testing import eventually
from deploy.databases import SERVICES
from deploy.management import Management
from tests.faults import evidence
from tests.faults.event_stream import EventStream
from tests.faults.evidence import EMITTERS, Evidence, Quiet
from tests.faults.invariants import QUIET_WITHIN, violations
from tests.faults.ledger import Ledger
from tests.faults.load import Crowd, Load
from tests.faults.vitals import Stopwatch
from tests.stack.proxy import Proxy
from tests.stack.stack import STATISTICS, Stack
from tests.stack.wire import Delivered, Log, Subscriber, depths

BACK_WITHIN = 10.0
"""Seconds in which a service that was killed is ready again."""
SETTLED = 2 * STATISTICS / 1000
"""Seconds after which the broker has counted everything."""
LOSSES = ("i1_every_answered_write_is_stored_once", "i2_every_event_reached_every_subscriber")
SURPRISES = ("i4_nothing_happened_without_a_cause", "i5_every_command_was_settled")
TWICE = "i3_every_effect_happened_once"
COUNTED = ('"event_retried"', '"event_dead"')


@dataclass
class Report:
    """What all drills together have seen."""

    drills: int = 0
    requests: int = 0
    repeated: int = 0
    writes: int = 0
    events: int = 0
    duplicates: int = 0
    lost: int = 0
    unexpected: int = 0
    effects: int = 0
    not_once: int = 0
    streamed: int = 0
    streamed_again: int = 0
    worst: dict[str, float] = field(default_factory=dict)

    def measure(self, what: str, seconds: float, allowed: float) -> None:
        """Note how long something took, and hold it to what is allowed."""
        self.worst[what] = max(seconds, self.worst.get(what, 0.0))
        assert seconds <= allowed, f"{what}: {seconds:.1f} s, {allowed} allowed"

    def add(self, found: Evidence, broken: Mapping[str, Sequence[str]]) -> None:
        """Count a run, and what it broke."""
        ids = [seen.id for seen in found.wire]
        shown = [seen.id for seen in found.streamed]
        self.drills += 1
        self.requests += sum(len(entry.attempts) for entry in found.entries)
        self.repeated += sum(max(0, len(entry.attempts) - 1) for entry in found.entries)
        self.writes += sum(entry.done for entry in found.entries)
        self.events += len(found.history)
        self.duplicates += len(ids) - len(set(ids))
        self.lost += sum(len(broken.get(name, ())) for name in LOSSES)
        self.unexpected += sum(len(broken.get(name, ())) for name in SURPRISES)
        self.effects += len(found.told)
        self.not_once += len(broken.get(TWICE, ()))
        self.streamed += len(shown)
        self.streamed_again += len(shown) - len(set(shown))

    def __str__(self) -> str:
        return (
            f"lost {self.lost}, unexpected {self.unexpected}, "
            f"duplicates on the wire {self.duplicates}, "
            + (f"effects not once {self.not_once}" if self.not_once else "effects once")
            + f"\n  {self.drills} drills: {self.requests} requests, {self.repeated} repeated; "
            f"{self.writes} writes, {self.events} events, {self.effects} effects; "
            f"by SSE {self.streamed} events, {self.streamed_again} of them again"
            + "".join(f"\n  at worst {took:.1f} s: {what}" for what, took in self.worst.items())
        )


@dataclass(frozen=True)
class Watchers:
    """Who sees the events: a department's subscriber, the log, and a client of the stream."""

    subscriber: Subscriber
    log: Log
    stream: EventStream

    def forget(self) -> None:
        """Let go of what came so far, between drills."""
        self.subscriber.ledger.clear()
        self.stream.ledger.clear()


@dataclass(frozen=True)
class Wires:
    """What everything goes through: to the broker, to the database, to the gateway."""

    broker: Proxy
    database: Proxy
    gateway: Proxy


@dataclass
class Drill:
    """One test's run on the system: its own load and ledger, and what to hold them against."""

    stack: Stack
    crowd: Crowd
    watchers: Watchers
    ledger: Ledger
    report: Report
    seed: int
    wire: list[Delivered] = field(default_factory=list)
    _logged: dict[str, int] = field(init=False)
    _heard: int = field(init=False)
    _streamed: int = field(init=False)
    _loads: int = 0

    def __post_init__(self) -> None:
        self._logged = {name: self.stack.home.log(name).stat().st_size for name in SERVICES}
        self._heard = len(self.watchers.subscriber.ledger)
        self._streamed = len(self.watchers.stream.ledger)

    def load(self, **options: Any) -> Load:
        """Load from now on; what its clients ask and are told stands in the ledger."""
        self._loads += 1
        return Load(self.crowd, self.ledger, self.seed * 100 + self._loads, **options)

    def wait_for(self, answers: int, within: float = 60.0) -> None:
        """Until so many more commands have been answered with success."""
        before = self.answered()
        eventually(lambda: self.answered() - before >= answers, within)

    def answered(self) -> int:
        """How many commands were answered with success so far."""
        return sum(entry.done for entry in self.ledger.entries())

    def kill_and_start(self, name: str, **variables: str) -> None:
        """`kill -9` a service and start it as its supervisor would; it must be back in time."""
        self.stack.kill(name)
        watch = Stopwatch(self.stack, name)
        self.stack.start(name, **variables)
        self.stack.wait_ready(name)
        self.report.measure("killed → ready", watch.seconds, BACK_WITHIN)

    def more(self) -> None:
        """Read on in the log; `wire` is what it has had since it was last read before the drill."""
        streamed = self.watchers.stream.ledger[-1:]
        self.wire += self.watchers.log.more(streamed[0].offset if streamed else -1)

    def verify(
        self, poison: Mapping[str, int] | None = None, *, texts_again: bool = False
    ) -> Evidence:
        """Wait until all is quiet, gather what is left, and hold every invariant; returns the
        evidence. `poison`: how much of it was sent, by the dead letters where it must be.
        `texts_again`: phones may have got more than is remembered. Raises AssertionError with what
        was violated.
        """
        quiet = self._quiet(poison or {})
        self.more()
        self.watchers.stream.reach(self.wire[-1].offset if self.wire else 0, QUIET_WITHIN)
        heard = self.watchers.subscriber.ledger[self._heard :]
        streamed = self.watchers.stream.ledger[self._streamed :]
        entries = self.ledger.entries()
        found = evidence.gather(self.stack, entries, self.wire, heard, streamed, quiet=quiet)
        if texts_again:
            sent = Counter(told.ticket for told in found.told if told.text == "delivered")
            found = replace(found, texts={ticket: sent[ticket] for ticket in found.texts})
        broken = violations(found)
        self.report.add(found, broken)
        assert not broken, _readable(broken, self.ledger.path)
        assert found.history, "the load did nothing"
        self.report.measure("healed → all quiet", quiet.seconds, QUIET_WITHIN)
        return found

    def texts_waiting(self) -> int:
        """How many texts are still to be sent."""
        sql = "SELECT count(*) FROM delivery WHERE state = 'queued'"
        count: int = self.stack.value("notifications", sql)
        return count

    def waiting(self, prefix: str) -> int:
        """How many messages wait in the queues whose names begin so."""
        counts = self._state()["queues"]
        return sum(count for name, count in counts.items() if name.startswith(prefix))

    def _quiet(self, poison: Mapping[str, int]) -> Quiet:
        begun = time.monotonic()
        quiet_since: float | None = None
        while True:
            now, at = self._state(), time.monotonic()
            quiet_since = None if _busy(now) else quiet_since or at
            rested = quiet_since is not None and at - quiet_since > SETTLED
            if rested or at - begun > QUIET_WITHIN + SETTLED:
                break
            time.sleep(0.2)
        # What was never delivered to a phone is given its schedule's time.
        eventually(lambda: not self.texts_waiting(), within=90)
        now["dead"] = {name: count - poison.get(name, 0) for name, count in now["dead"].items()}
        attempts = self._attempts() - sum(poison.values())
        return Quiet(**now, attempts=attempts, seconds=(quiet_since or at) - begun)

    def _state(self) -> dict[str, dict[str, int]]:
        management = Management(self.stack.rabbitmq.management_url)
        queues = management.get("queues", "linli") or []
        unsettled = {each["name"]: each.get("messages_unacknowledged", 0) for each in queues}
        # Exact, whereas the statistics are a little old.
        ready = depths(self.stack.rabbitmq.amqp_uri, list(unsettled))
        return {
            "outbox": {
                name: self.stack.value(name, "SELECT count(*) FROM outbox") for name in EMITTERS
            },
            "queues": {
                name: ready[name] + unsettled[name] for name in unsettled if _is_emptied(name)
            },
            "dead": {name: count for name, count in ready.items() if name.endswith(".dead")},
        }

    def _attempts(self) -> int:
        """How many attempts at events were counted since the drill began."""
        logs = [self.stack.logged(name, since) for name, since in self._logged.items()]
        return sum(text.count(word) for text in logs for word in COUNTED)


def _is_emptied(queue: str) -> bool:
    """Whether a queue is one that somebody reads here, or that only holds what waits."""
    read = (*SERVICES, "rpc-", "linli.retry.", "water.events")
    return queue.startswith(read) and not queue.endswith(".dead")


def _busy(state: Mapping[str, Mapping[str, int]]) -> bool:
    return any(state["outbox"].values()) or any(state["queues"].values())


def _readable(broken: Mapping[str, list[str]], ledger: Path) -> str:
    lines = [f"the ledger is {ledger}"]
    for name, found in broken.items():
        lines += [f"{name}: {len(found)} violations", *(f"  {each}" for each in found[:10])]
    return "\n".join(lines)
