"""Who may see an event in the feed: what the gateway goes by, asked of an event that concerns
whomever it can.
"""

from collections.abc import Mapping
from typing import Any

from deploy.contract_examples import VALUES

CONCERNED = {"assignee": VALUES["actor"], "area": VALUES["area"], "visibility": "public"}
"""Not in every event, but possible wherever there is such a field."""


def readers(example: Mapping[str, Any]) -> dict[str, list[str]]:
    """The reaches in which each role sees events like this one, by role."""
    from services.gateway import feed_rules, policy

    told = example["data"]
    told = told | {name: value for name, value in CONCERNED.items() if name in told}
    facts = feed_rules.facts_of({**example, "data": told})
    met = {
        "any": True,
        "area": facts.area,
        "department": facts.departments,
        "own": facts.owners,
        "holder": facts.holders,
        "public": facts.public,
    }
    rights = {"events.read"} | ({"read"} if example["type"].startswith("linli.tickets.") else set())
    seen = {
        role: [reach for reach in policy.REACHES if met[reach] and row.get(reach, set()) & rights]
        for role, row in policy.TABLE.items()
        if any("events.read" in may for may in row.values())
    }
    return {role: reaches for role, reaches in seen.items() if reaches}
