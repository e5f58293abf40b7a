"""Load: residents, staff and departments who play tickets through their lives, each command with a
key, repeated until it is settled.
"""

import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests

from tests.faults.ledger import NO_ANSWER, Attempt, Entry, Ledger, is_retriable
from tests.stack.clients import Client, Community, filing, new_key

SETTLED_WITHIN = 180.0
"""Seconds after which a client gives a command up, which is a violation: longer than anything is
away.
"""
REQUEST_LIMIT = 10.0
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)

ASSIGN_WATER = ("staff", "assignment", {"department": "water"})
ASSIGN_ROADS = ("staff", "assignment", {"department": "roads"})
ACCEPT = ("staff", "acceptance", {})
SOLVED = ("resident", "follow-up", {"solved": "yes", "satisfied": "yes"})
NOT_SOLVED = ("resident", "follow-up", {"solved": "no", "satisfied": "no", "reason": "no"})
WATER_RESOLVES = ("water", "resolution", {"summary": "done"})
ROADS_RESOLVES = ("roads", "resolution", {"summary": "done"})
COMMENT = ("resident", "comments", {"text": "please", "visibility": "public"})

Plot = Sequence[tuple[str, str, Mapping[str, Any]]]
PLOTS: Mapping[str, Plot] = {
    "solved": (ACCEPT, ASSIGN_WATER, ("water", "work", {}), WATER_RESOLVES, SOLVED),
    "lost": (ACCEPT, ASSIGN_WATER, ASSIGN_ROADS, ("roads", "work", {}), ROADS_RESOLVES, SOLVED),
    "sent back": (
        *(ACCEPT, ASSIGN_WATER, ("water", "send-back", {"reason": "no"})),
        *(ASSIGN_ROADS, ROADS_RESOLVES, SOLVED),
    ),
    "reopened": (ACCEPT, ASSIGN_WATER, WATER_RESOLVES, NOT_SOLVED, WATER_RESOLVES, SOLVED),
    "commented": (COMMENT, ACCEPT, COMMENT, ASSIGN_WATER, COMMENT),
    "withdrawn": (ACCEPT, ("resident", "withdrawal", {"reason": "over"})),
    "refused": (("staff", "refusal", {"reason": "no"}),),
}


class Crowd:
    """Everybody who makes load, signed in once."""

    def __init__(self, residents: Sequence[Client], staff: Mapping[str, Client]) -> None:
        self.residents, self.staff = residents, staff

    @classmethod
    def of(cls, community: Community, residents: int = 4) -> "Crowd":
        """So many residents, and who solves what they raise."""
        return cls(
            [community.resident(f"1390000{n:04}") for n in range(residents)],
            {name: community.staff(name) for name in ("staff", "water", "roads")},
        )

    def through(self, port: int, *, keep_alive: bool = True) -> "Crowd":
        """The same people, reaching the gateway through a port, with a connection for each request
        unless they are to be kept.
        """
        return Crowd(
            [client.through(port, keep_alive=keep_alive) for client in self.residents],
            {
                name: client.through(port, keep_alive=keep_alive)
                for name, client in self.staff.items()
            },
        )


class Load:
    """Threads that tell stories until they are stopped, or have told `stories` together. A context
    manager; leaving it lets every command that has begun be settled.
    """

    def __init__(
        self,
        crowd: Crowd,
        ledger: Ledger,
        seed: int,
        *,
        threads: int = 4,
        pace: float = 0.02,
        stories: int | None = None,
    ) -> None:
        self._ending = threading.Event()
        self._budget = threading.Semaphore(stories if stories is not None else 1_000_000)
        self._pace = pace
        self._ledger = ledger
        self._threads = [
            threading.Thread(target=self._run, args=(crowd, f"{seed}-{n}", n), name=f"load {n}")
            for n in range(threads)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self.join()

    def join(self) -> None:
        """Wait until every thread has ended."""
        for thread in self._threads:
            thread.join()

    def _run(self, crowd: Crowd, name: str, number: int) -> None:
        people = {who: client.twin() for who, client in crowd.staff.items()}
        people["resident"] = crowd.residents[number % len(crowd.residents)].twin()
        chance = random.Random(name)
        while not self._ending.is_set() and self._budget.acquire(blocking=False):
            self._tell(people, chance.choice(list(PLOTS.values())))
        for client in people.values():
            client.close()

    def _tell(self, people: Mapping[str, Client], plot: Plot) -> None:
        body = filing()
        entry = Entry(new_key(), "resident", "filing", text=body["description"])
        ticket = self._settle(people["resident"], "tickets", body, entry, None)
        for who, move, said in plot:
            if ticket is None or self._ending.is_set():
                return
            entry = Entry(new_key(), who, move, ticket["id"], solved=said.get("solved"))
            path = f"tickets/{ticket['id']}/{move}"
            after = self._settle(people[who], path, said, entry, ticket["version"])
            ticket = ticket if move == "comments" and after else after

    def _settle(
        self,
        client: Client,
        path: str,
        body: Mapping[str, Any],
        entry: Entry,
        version: int | None,
    ) -> dict[str, Any] | None:
        """The answer of a command that succeeds in the end; None when it is refused or given
        up.
        """
        self._ledger.begin(entry)
        give_up = time.monotonic() + SETTLED_WITHIN
        for pause in _growing():
            attempt, answer = send(client, path, body, entry.key, version)
            self._ledger.note(entry, attempt, answer)
            if not is_retriable(attempt):
                time.sleep(self._pace)
                return answer if entry.done else None
            if time.monotonic() > give_up:
                return None
            time.sleep(pause)
        return None


def send(
    client: Client, path: str, body: Mapping[str, Any], key: str, version: int | None = None
) -> tuple[Attempt, dict[str, Any]]:
    """One attempt at a POST, and its answer's content."""
    begun = time.monotonic()
    try:
        answer = client.post(path, body, key=key, version=version, timeout=REQUEST_LIMIT)
        content = answer.json()
    except (requests.RequestException, ValueError):
        return Attempt(NO_ANSWER, time.monotonic() - begun), {}
    took = time.monotonic() - begun
    return Attempt(answer.status_code, took, content.get("type")), content


def _growing() -> Iterator[float]:
    yield from PAUSES
    while True:
        yield PAUSES[-1]
