"""What the standard's readers are told in words, in Chinese and in English, and its two states."""

from collections.abc import Mapping
from typing import Any, Final

from services.gateway.texts import WORDS

OPEN, CLOSED = "open", "closed"
_OPEN_STATES = ("filed", "accepted", "assigned", "in_progress")
_CLOSED_STATES = ("resolved", "closed", "refused", "withdrawn")
STATES: Final[Mapping[str, tuple[str, ...]]] = {OPEN: _OPEN_STATES, CLOSED: _CLOSED_STATES}
"""Our states of each of the standard's: closed is what somebody has said the last word of, until
its reporter says otherwise.
"""

_ENGLISH: Final[Mapping[str, str]] = {
    "filed": "Received",
    "accepted": "Accepted",
    "assigned": "Assigned",
    "in_progress": "Being worked on",
    "resolved": "Resolved",
    "closed": "Closed",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
}
_NOTICES: Final = {
    "zh-CN": {
        "public": "已登记，编号 {number}。",
        "private": "已登记，编号 {number}。此事涉及个人，不对外公开。",
    },
    "en": {
        "public": "Received as {number}.",
        "private": "Received as {number}. It is about somebody's own affairs and is not shown.",
    },
}


def status(state: str) -> str:
    """`open` or `closed`, by one of our states."""
    return OPEN if state in _OPEN_STATES else CLOSED


def states(statuses: list[str]) -> list[str]:
    """Our states of some of the standard's."""
    return [state for wanted in statuses for state in STATES[wanted]]


def notes(state: str, locale: str) -> str:
    """One of our states in words."""
    return WORDS[state] if locale == "zh-CN" else _ENGLISH[state]


def notice(ticket: Mapping[str, Any], locale: str) -> str:
    """What whoever files is told."""
    return _NOTICES[locale][ticket["visibility"]].format(number=ticket["number"])
