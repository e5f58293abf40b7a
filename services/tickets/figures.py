"""The four rates by which a community is judged, each with its one definition: what they need to
know of a ticket, how they learn it from its history, and what part it has in each.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from services.tickets.categories import TREE
from services.tickets.lifecycle import NO_ANSWER, UNREACHABLE, State


class Part(StrEnum):
    """What a ticket is in a rate: counted above and below the line, below it only, or neither,
    because it was excluded.
    """

    NUMERATOR = "numerator"
    REST = "rest"
    EXCLUDED = "excluded"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What the rates know of one ticket since `since`. `uncontacted`: some answer said that nobody
    had been in touch; `solved` and `satisfied`: the last answer.
    """

    ticket: str
    since: datetime
    filed_at: datetime
    area_path: tuple[str, ...]
    channel: str
    category: str
    state: State = State.FILED
    department: str | None = None
    accepted_at: datetime | None = None
    uncontacted: bool = False
    solved: str | None = None
    satisfied: str | None = None
    exclusions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Entry:
    """A row of history as far as figures learn from it."""

    move: str
    state: State
    department: str | None
    occurred_at: datetime
    details: Mapping[str, Any]


# Accepted within the category's response time, in plain hours, counts as answered; what is not
# collected counts nowhere.
_NOT_COLLECTED: Final = frozenset({State.REFUSED, State.WITHDRAWN})


def _is_solved(figure: Figure) -> bool:
    return figure.state == State.CLOSED and figure.solved == "yes"


def _was_responded_to(figure: Figure) -> bool:
    category = TREE.get(figure.category)
    hours = category.response_hours if category else None
    if figure.accepted_at is None or hours is None or figure.uncontacted:
        return False
    return figure.accepted_at - figure.filed_at <= timedelta(hours=hours)


def _is_resolved(figure: Figure) -> bool | None:
    return figure.solved == "yes" if figure.solved in ("yes", "partly", "no") else None


def _is_satisfied(figure: Figure) -> bool | None:
    return figure.satisfied == "yes" if figure.satisfied in ("yes", "no") else None


_COUNTS: Final[Mapping[str, Callable[[Figure], bool | None]]] = {
    "solved_share": _is_solved,
    "response_rate": _was_responded_to,
    "resolution_rate": _is_resolved,
    "satisfaction_rate": _is_satisfied,
}
RATES: Final = tuple(_COUNTS)


def parts(figure: Figure) -> dict[str, Part | None]:
    """What the ticket is in each rate; None where it does not count at all.

    Collected is what was filed and neither refused nor withdrawn. `solved_share`: closed with a
    last answer `yes`, of what was collected. `response_rate` (响应率): accepted in time while no
    answer says `contacted: no`, of what was collected. `resolution_rate` (解决率): last answer
    `yes`, of those that answered at all. `satisfaction_rate` (满意率): satisfied, of those who
    said so or the contrary. A reopened ticket counts once, by its last answer; one that silence
    closed has none.
    """
    if figure.state in _NOT_COLLECTED:
        return dict.fromkeys(RATES)
    return {rate: _part(figure, rate, counts(figure)) for rate, counts in _COUNTS.items()}


def _part(figure: Figure, rate: str, counts: bool | None) -> Part | None:
    if counts is None:
        return None
    if rate in figure.exclusions:
        return Part.EXCLUDED
    return Part.NUMERATOR if counts else Part.REST


def through(filed: Figure, entries: Iterable[Entry]) -> Iterator[Figure]:
    """The figure of a ticket as it was filed, and after each further entry that changed it. Of
    those that share a moment the last one counts.
    """
    figure = filed
    for entry in entries:
        after = learn(figure, entry)
        if after.since > figure.since:
            yield figure
        figure = after
    yield figure


def learn(figure: Figure, entry: Entry) -> Figure:
    """The figure after an entry of its ticket's history; itself when nothing has changed for it."""
    tells = _LEARNT.get(entry.move)
    learnt = tells(figure, entry) if tells else {}
    after = replace(figure, state=entry.state, department=entry.department, **learnt)
    # No entry is older than the one before it, but for what two clocks may differ by.
    return figure if after == figure else replace(after, since=max(entry.occurred_at, figure.since))


def _accepted(figure: Figure, entry: Entry) -> dict[str, Any]:
    return {"accepted_at": figure.accepted_at or entry.occurred_at}


def _answered(figure: Figure, entry: Entry) -> dict[str, Any]:
    said = entry.details
    if said["solved"] == UNREACHABLE:
        return {}
    return {
        "solved": said["solved"],
        "satisfied": said["satisfied"],
        "uncontacted": figure.uncontacted or said["contacted"] == "no",
    }


def _closed(_figure: Figure, entry: Entry) -> dict[str, Any]:
    silent = entry.details.get("solved") == NO_ANSWER
    return {"solved": NO_ANSWER, "satisfied": NO_ANSWER} if silent else {}


def _amended(figure: Figure, entry: Entry) -> dict[str, Any]:
    return {"category": entry.details.get("category", figure.category)}


def _excluded(figure: Figure, entry: Entry) -> dict[str, Any]:
    return {"exclusions": figure.exclusions | {entry.details["rate"]}}


def _included(figure: Figure, entry: Entry) -> dict[str, Any]:
    return {"exclusions": figure.exclusions - {entry.details["rate"]}}


_LEARNT: Final[Mapping[str, Callable[[Figure, Entry], dict[str, Any]]]] = {
    "acceptance": _accepted,
    "follow-up": _answered,
    "closing": _closed,
    "amendment": _amended,
    "exclusion": _excluded,
    "inclusion": _included,
}
