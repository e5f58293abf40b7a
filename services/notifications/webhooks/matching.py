"""Which events concern an endpoint. Pure.

What an event says about whom it concerns is read as the event feed reads it for the reaches
`department:<code>` and `any`; a test holds the two together.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_AREA = re.compile(r"([0-9]{6})([0-9]{3})([0-9]{3})((?:\.[a-z0-9_]+)*)")


@dataclass(frozen=True)
class Wish:
    """What an endpoint gets: what concerns its department (None: anybody), of these types (none:
    of all), in this area and below (None: anywhere).
    """

    department: str | None = None
    types: frozenset[str] = frozenset()
    area: str | None = None


def concerns(wish: Wish, event_type: str, data: Mapping[str, Any]) -> bool:
    """Whether an event of this type and with this data is for that endpoint. A department that
    loses a ticket still hears that it does, for such an event names both.
    """
    return (
        (wish.department is None or wish.department in departments(event_type, data))
        and (not wish.types or event_type in wish.types)
        and (wish.area is None or _within(_place(event_type, data), wish.area))
    )


def departments(event_type: str, data: Mapping[str, Any]) -> frozenset[str]:
    """The departments that an event concerns; what is malformed concerns none."""
    named = [data.get("department"), data.get("previous_department")]
    others = data.get("departments")
    named += others if isinstance(others, list) else []
    if _noun(event_type) == "department":
        named.append(data.get("code"))
    return frozenset(code for code in named if isinstance(code, str) and code)


def _place(event_type: str, data: Mapping[str, Any]) -> str:
    place = data.get("code" if _noun(event_type) == "area" else "area")
    return _tree_key(place) if isinstance(place, str) else ""


def _noun(event_type: str) -> str:
    return event_type.split(".")[2].partition("_")[0]


def _within(place: str, area: str) -> bool:
    key = _tree_key(area)
    return bool(key) and place.startswith(key)


def _tree_key(code: str) -> str:
    """A text that begins with that of every place above: `340603008002.e1` gives
    `340603.008.002.e1.`; empty for what is no area code.
    """
    match = _AREA.fullmatch(code)
    if match is None:
        return ""
    tiers = [tier for tier in match.groups()[:3] if tier != "000"]
    return ".".join([*tiers, *match[4].split(".")[1:], ""])
