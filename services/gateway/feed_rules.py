"""Who may see which event: what an event says about whom it concerns, and whether that lies in a
caller's reach. `feed.clause` says the same in SQL; a property test holds the two together.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from chassis.call import Call

# Seeing a ticket is enough for seeing its events; those of the registry need a right of their own.
_TICKETS = "linli.tickets."
# The persons and what its reporter answered, which a ticket keeps from those to whom it is merely
# public. That it is closed they see, so of that only the answer is left out.
_PERSONS = frozenset({"reporter", "actor", "assignee", "previous_assignee"})
_ANSWERS = frozenset({"solved", "satisfied", "contacted"})
# Not for residents, neither for who reported a ticket nor for everybody who sees public ones.
_AMONG_STAFF = frozenset({"ticket_excluded", "ticket_included"})
# For who reported a ticket and for staff: it is nothing but what they answered, or that nobody
# reached them.
_CONFIDED = frozenset({"ticket_rated"})
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_LONGEST = 255
_AREA = re.compile(r"([0-9]{6})([0-9]{3})([0-9]{3})((?:\.[a-z0-9_]+)*)")


@dataclass(frozen=True)
class Facts:
    """What an event says about whom it concerns. `area` is a tree key, empty without a place.
    `hides`: from this event on, none of its subject's before it are public any more.
    """

    type: str
    subject: str
    area: str = ""
    departments: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    holders: frozenset[str] = frozenset()
    public: bool = False
    hides: bool = False

    def storable(self) -> bool:
        """Whether the database can keep and index them: our own events always, whatever else
        somebody put on the bus perhaps not.
        """
        texts = {self.type, self.subject, self.area}
        texts |= self.departments | self.owners | self.holders
        return not any(len(text) > _LONGEST or _UNSTORABLE.search(text) for text in texts)


@dataclass(frozen=True)
class Filters:
    """What a reader asks for; all of what is given must hold. `types` are whole event types;
    `area` is an area code and means its subtree.
    """

    types: tuple[str, ...] = ()
    area: str | None = None
    department: str | None = None
    subject: str | None = None


@dataclass(frozen=True)
class Selection:
    """The events that one reader gets: within `reaches`, and as `filters` say. `ticket_reaches`
    hold for events of tickets besides.
    """

    actor: str | None
    reaches: frozenset[str]
    ticket_reaches: frozenset[str] = frozenset()
    filters: Filters = Filters()

    @classmethod
    def of(cls, call: Call, filters: Filters | None = None) -> "Selection":
        """What the caller may see and asks for."""
        return cls(
            call.actor.id,
            frozenset(call.reaches("events.read")),
            frozenset(call.reaches("read")),
            filters or Filters(),
        )

    def admits(self, facts: Facts) -> bool:
        """Whether the reader gets the event."""
        return self._reach(facts.type).holds(facts, self.actor) and matches(facts, self.filters)

    def tell(self, body: str, facts: Facts | None = None) -> str:
        """An admitted event's text as the reader gets it: to whom it is merely public, it names no
        person and tells no answer.
        """
        if not self._of_tickets.public or (facts is not None and not facts.public):
            return body
        facts = facts or facts_of(json.loads(body))
        more = self._reach(facts.type).more_than_public(facts, self.actor)
        return body if more else _of_nobody(body)

    def _reach(self, event_type: str) -> "_Reach":
        return self._of_tickets if event_type.startswith(_TICKETS) else self._of_all

    # Worked out once for each reader: a thousand of them look at every event.
    @cached_property
    def _of_all(self) -> "_Reach":
        return _Reach.of(self.reaches)

    @cached_property
    def _of_tickets(self) -> "_Reach":
        return _Reach.of(self.reaches | self.ticket_reaches)


@dataclass(frozen=True)
class _Reach:
    """What several reaches hold together; `areas` are tree keys."""

    any: bool
    public: bool
    own: bool
    holder: bool
    areas: tuple[str, ...]
    departments: frozenset[str]

    @classmethod
    def of(cls, reaches: frozenset[str]) -> "_Reach":
        parts = [reach.partition(":") for reach in reaches]
        plain = {name for name, _, code in parts if not code}
        areas = {tree_key(code) for name, _, code in parts if name == "area"}
        return cls(
            any="any" in plain,
            public="public" in plain,
            own="own" in plain,
            holder="holder" in plain,
            areas=tuple(areas - {""}),
            departments=frozenset(code for name, _, code in parts if name == "department"),
        )

    def holds(self, facts: Facts, actor: str | None) -> bool:
        """Whether it holds the event of these facts for the actor."""
        return (self.public and facts.public) or self.more_than_public(facts, actor)

    def more_than_public(self, facts: Facts, actor: str | None) -> bool:
        """Whether it holds the event, and not only because all may see it."""
        return (
            self.any
            or facts.area.startswith(self.areas)
            or not self.departments.isdisjoint(facts.departments)
            or (self.own and actor in facts.owners)
            or (self.holder and actor in facts.holders)
        )


@lru_cache(maxsize=256)
def _of_nobody(body: str) -> str:
    """The event's text without persons and answers: the same for all to whom it is public."""
    event = json.loads(body)
    kept = (_PERSONS | _ANSWERS) & event["data"].keys()
    data = event["data"] | dict.fromkeys(kept)
    return json.dumps({**event, "data": data}, ensure_ascii=False, separators=(",", ":"))


def matches(facts: Facts, filters: Filters) -> bool:
    """Whether the event is one of those asked for."""
    return (
        (not filters.types or facts.type in filters.types)
        and (filters.area is None or _within(facts.area, filters.area))
        and (filters.department is None or filters.department in facts.departments)
        and (filters.subject is None or facts.subject == filters.subject)
    )


def facts_of(event: Mapping[str, Any]) -> Facts:
    """Read the facts off a CloudEvent; what is missing or malformed concerns nobody."""
    data = event["data"]
    name = event["type"].split(".")[2]
    noun = name.partition("_")[0]
    departments = [data.get("department"), data.get("previous_department")]
    departments += _list(data.get("departments"))
    owners = [data.get("reporter"), data.get("person"), data.get("resident")]
    place = data.get("area")
    if noun == "area":
        place = data.get("code")
    elif noun == "department":
        departments.append(data.get("code"))
    internal = name in _AMONG_STAFF or data.get("comment_visibility") == "internal"
    return Facts(
        type=event["type"],
        subject=event["subject"],
        area=tree_key(place) if isinstance(place, str) else "",
        departments=_texts(departments),
        owners=frozenset() if internal else _texts(owners),
        holders=_texts([data.get("assignee"), data.get("previous_assignee")]),
        public=data.get("visibility") == "public" and not internal and name not in _CONFIDED,
        # Only who amends a ticket can make it private, and there are few such events: each makes
        # the table look for those before it.
        hides=name == "ticket_amended" and data.get("visibility") == "private",
    )


@lru_cache(maxsize=1024)
def tree_key(code: str) -> str:
    """A text that begins with the key of every place above: `340603008002.e1` gives
    `340603.008.002.e1.`; empty for what is no area code.
    """
    match = _AREA.fullmatch(code)
    if match is None:
        return ""
    tiers = [tier for tier in match.groups()[:3] if tier != "000"]
    return ".".join([*tiers, *match[4].split(".")[1:], ""])


def _within(area: str, code: str) -> bool:
    key = tree_key(code)
    return bool(key) and area.startswith(key)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(values: Iterable[Any]) -> frozenset[str]:
    return frozenset(value for value in values if isinstance(value, str) and value)
