"""Counting the month from its events alone, as somebody else would who only listens. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TICKET = "linli.tickets."
# What was refused or taken back was not collected.
_NOT_COLLECTED = frozenset({"refused", "withdrawn", "merged"})
_ANSWERS = frozenset({"yes", "partly", "no"})


@dataclass(frozen=True)
class Figures:
    """`asked`: those whose reporter answered whether it is solved."""

    collected: int
    solved: int
    asked: int


@dataclass
class _Seen:
    sequence: int = 0
    version: int = 0
    state: str = ""
    answered: int = 0
    answer: str | None = None


class Tally:
    """What is known of each ticket of one place from the events seen so far."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._tickets: dict[str, _Seen] = {}

    def take(self, event: Mapping[str, Any]) -> None:
        """Take note of an event. Twice, or late, changes nothing."""
        data = event["data"]
        if not event["type"].startswith(TICKET) or not data["area"].startswith(self._place):
            return
        seen = self._tickets.setdefault(event["subject"], _Seen())
        sequence = int(event["sequence"])
        if sequence > seen.sequence:
            seen.sequence, seen.version, seen.state = sequence, data["version"], data["state"]
        if "solved" in data and sequence > seen.answered:
            seen.answered, seen.answer = sequence, data["solved"]

    def has_seen(self, versions: Mapping[str, int]) -> bool:
        """Whether it knows each of these tickets as it stands at this version."""
        return all(
            ticket in self._tickets and self._tickets[ticket].version >= version
            for ticket, version in versions.items()
        )

    def figures(self) -> Figures:
        """The figures by what has been seen."""
        collected = list(self._collected())
        return Figures(
            collected=len(collected),
            solved=sum(seen.state == "closed" and seen.answer == "yes" for seen in collected),
            asked=sum(seen.answer in _ANSWERS for seen in collected),
        )

    def _collected(self) -> Iterator[_Seen]:
        return (seen for seen in self._tickets.values() if seen.state not in _NOT_COLLECTED)
