"""The wall around people, their households and what is kept of them: what a caller's transactions
are told that they may see (see the migration that puts it up). Coarser than reach.py, which says
what of it is answered.
"""

from chassis.call import Call
from chassis.walls import EVERYTHING, Settings
from services.residents import area_codes, reach
from services.residents.imports.kinds import KINDS

# Whose operations need a community's data. Places and departments are no secret.
_NOUNS = ("residents.", "households.", "care_tags.", "duties.")


def settings(call: Call) -> Settings:
    """The communities whose data the call may see, by code and by tree key, and those whose care
    tags; the departments whose duties; the person whose own; the kinds of imports; and the command
    whose own work it is. Whoever serves more than a community sees everything, as our own services
    do.
    """
    reaches = _reaches(call, *_NOUNS)
    communities = _communities(reaches)
    if call.actor.kind == "system" or "any" in reaches or None in communities:
        return EVERYTHING
    return {
        "communities": ",".join(sorted(filter(None, communities))),
        "places": _tree_keys(communities),
        "caring": _tree_keys(_communities(_reaches(call, "care_tags."))),
        "departments": ",".join(sorted(_codes(reaches, "department"))),
        "person": str(reach.person(call) or ""),
        "actor": call.actor.id or "",
        "imports": ",".join(kind for kind in KINDS if "any" in call.reaches(KINDS[kind].operation)),
        "command": call.command_id or "",
    }


def _reaches(call: Call, *nouns: str) -> set[str]:
    """Where the call may do anything with things of these kinds."""
    return {
        grant.reach for grant in call.grants if any(each.startswith(nouns) for each in grant.may)
    }


def _communities(reaches: set[str]) -> set[str | None]:
    return {area_codes.community(area) for area in _codes(reaches, "area")}


def _tree_keys(communities: set[str | None]) -> str:
    return ",".join(sorted(area_codes.tree_key(code) for code in communities if code))


def _codes(reaches: set[str], kind: str) -> set[str]:
    parts = (each.partition(":") for each in reaches)
    return {code for name, _, code in parts if name == kind and code}
