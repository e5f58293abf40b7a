"""The wall around tickets: what a caller's transactions are told that they may see (see the
migration that puts it up). Coarser than access.py, which says what of it is answered.
"""

from collections.abc import Iterable

from chassis.call import Call
from chassis.walls import EVERYTHING, Settings
from services.tickets import rows

# The operations whose reaches a caller sees tickets in. Every other one on a ticket needs them.
SEEING = frozenset({"read", "call-list", "figures.read"})
_COMMUNITY = 12  # digits of an official code, which begins the code of every place in it


def settings(call: Call) -> Settings:
    """The communities, departments and persons whose tickets the call may see, and the command
    whose own work it is. Whoever serves more than a community sees everything, as our own services
    do.
    """
    reaches = {grant.reach for grant in call.grants if grant.may & SEEING}
    communities = {community(area) for area in _codes(reaches, "area")}
    if call.actor.kind == "system" or "any" in reaches or None in communities:
        return EVERYTHING
    actor = call.actor.id or ""
    return {
        "communities": ",".join(sorted(filter(None, communities))),
        "departments": ",".join(sorted(_codes(reaches, "department"))),
        "actor": actor,
        "person": actor if rows.is_id(actor) else "",
        "public": "yes" if "public" in reaches else "",
        "command": call.command_id or "",
    }


def community(area: str) -> str | None:
    """The code of the community that a place lies in; None for one that is larger, whose code ends
    in a tier of zeros.
    """
    code = area[:_COMMUNITY]
    return None if code.endswith("000") else code


def _codes(reaches: Iterable[str], kind: str) -> set[str]:
    parts = (reach.partition(":") for reach in reaches)
    return {code for name, _, code in parts if name == kind and code}
