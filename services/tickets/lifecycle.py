"""The life of a request as data: which move leads from which state to which, and what a reporter's
answer leads to.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.tickets.errors import IllegalMove


class State(StrEnum):
    """Where a request stands."""

    FILED = "filed"
    ACCEPTED = "accepted"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


# What was heard of a reporter who was called in vain, and of one who never answered.
UNREACHABLE: Final = "unreachable"
NO_ANSWER: Final = "no_answer"

_FILED, _ACCEPTED, _ASSIGNED, _IN_PROGRESS = (
    State.FILED,
    State.ACCEPTED,
    State.ASSIGNED,
    State.IN_PROGRESS,
)
_RESOLVED, _CLOSED, _REFUSED, _WITHDRAWN = (
    State.RESOLVED,
    State.CLOSED,
    State.REFUSED,
    State.WITHDRAWN,
)

# Before anybody says that it is done, or that nothing will be.
OPEN: Final = frozenset({_FILED, _ACCEPTED, _ASSIGNED, _IN_PROGRESS})

TRANSITIONS: Final[Mapping[tuple[State, str], State]] = {
    (_FILED, "acceptance"): _ACCEPTED,
    (_FILED, "refusal"): _REFUSED,
    (_ACCEPTED, "refusal"): _REFUSED,
    (_FILED, "withdrawal"): _WITHDRAWN,
    (_ACCEPTED, "withdrawal"): _WITHDRAWN,
    (_ASSIGNED, "withdrawal"): _WITHDRAWN,
    (_IN_PROGRESS, "withdrawal"): _WITHDRAWN,
    (_ACCEPTED, "assignment"): _ASSIGNED,
    (_ASSIGNED, "assignment"): _ASSIGNED,
    (_IN_PROGRESS, "assignment"): _ASSIGNED,
    (_ASSIGNED, "work"): _IN_PROGRESS,
    (_ASSIGNED, "send-back"): _ACCEPTED,
    (_IN_PROGRESS, "send-back"): _ACCEPTED,
    (_ACCEPTED, "resolution"): _RESOLVED,
    (_ASSIGNED, "resolution"): _RESOLVED,
    (_IN_PROGRESS, "resolution"): _RESOLVED,
    # The answer itself moves nothing: `consequence` says which of the next two follows at once.
    (_RESOLVED, "follow-up"): _RESOLVED,
    (_RESOLVED, "closing"): _CLOSED,
    (_RESOLVED, "reopening"): _ASSIGNED,
    (_CLOSED, "reopening"): _ASSIGNED,
}

# In the order in which a ticket meets them; `closing` only ever follows from an answer or from
# silence, nobody asks for it.
MOVES: Final = (
    "acceptance",
    "refusal",
    "assignment",
    "work",
    "send-back",
    "resolution",
    "follow-up",
    "reopening",
    "withdrawal",
)
# Moves that must name the version which their caller has read; of the others it is compared when it
# is given.
VERSIONED: Final = frozenset(
    {"acceptance", "refusal", "assignment", "work", "send-back", "resolution"}
)
REOPENING_PERIOD: Final = timedelta(days=30)
# How long a reporter is waited for, once it is said to be done.
ANSWERING_PERIOD: Final = timedelta(days=7)
SEND_BACKS_UNTIL_SECRETARY: Final = 2


def move(state: State, verb: str) -> State:
    """The state after `verb`; raises IllegalMove naming both."""
    after = TRANSITIONS.get((state, verb))
    if after is None:
        raise IllegalMove(from_=str(state), move=verb)
    return after


def check(state: State, verb: str, closed_at: datetime | None, at: datetime) -> None:
    """Raises IllegalMove when nobody at all could make this move at `at`: not in the table, or
    closed too long ago.
    """
    move(state, verb)
    if verb == "reopening" and closed_at is not None and at - closed_at > REOPENING_PERIOD:
        raise IllegalMove(from_=str(state), move=verb)


def is_legal(state: State, verb: str, closed_at: datetime | None, at: datetime) -> bool:
    """Whether `check` would let it pass."""
    try:
        check(state, verb, closed_at, at)
    except IllegalMove:
        return False
    return True


def consequence(solved: str, reopen: bool) -> str | None:
    """What follows from the reporter's answer: `closing`, or `reopening` when it is not solved or
    only partly so; nothing when nobody could be reached.
    """
    if solved == UNREACHABLE:
        return None
    return "reopening" if solved == "no" or (solved == "partly" and reopen) else "closing"


def answer_by(occurred_at: datetime, recorded_at: datetime) -> datetime:
    """Until when the reporter of what was resolved is waited for: silence from then on closes it.
    An importer's past resolution counts from when it was written down, for nobody was asked before.
    """
    return max(occurred_at, recorded_at) + ANSWERING_PERIOD


def needs_secretary(send_backs: int) -> bool:
    """Whether a ticket has been sent back so often that only the secretary may assign it."""
    return send_backs >= SEND_BACKS_UNTIL_SECRETARY
