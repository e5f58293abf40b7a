"""How tickets, their history and comments are told to a reader: the public learns nothing of
persons.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis import clock
from services.tickets import access
from services.tickets.access import Reader
from services.tickets.attributes import Attribute
from services.tickets.categories import TREE, Category
from services.tickets.names import Names
from services.tickets.ticket import Ticket

_AS_IT_IS = (
    "id",
    "number",
    "kind",
    "title",
    "description",
    "attributes",
    "media_url",
    "category",
    "area",
    "version",
    "sequence",
    "department",
    "channel",
    "visibility",
    "priority",
    "resolution",
    "send_backs",
    "reopenings",
)
_MOMENTS = (
    "filed_at",
    "recorded_at",
    "accepted_at",
    "assigned_at",
    "started_at",
    "resolved_at",
    "answer_by",
    "closed_at",
    "reopened_at",
    "changed_at",
)
_OF_PERSONS = (
    "reporter",
    "filed_by",
    "assignee",
    "responsible",
    "address",
    "call_attempts",
)
# Words among staff: why a ticket was given away or back, or does not count.
_INTERNAL = frozenset({"assignment", "send-back", "exclusion", "inclusion"})


def ticket(ticket: Ticket, reader: Reader, names: Names, at: datetime) -> dict[str, Any]:
    """A ticket as `reader` may see it at `at`: JSON values, times in RFC 3339, beside each code its
    name in their language.
    """
    return {
        **{name: getattr(ticket, name) for name in _AS_IT_IS},
        **{name: getattr(ticket, name) if reader.insider else None for name in _OF_PERSONS},
        **{name: _iso(getattr(ticket, name)) for name in _MOMENTS},
        "on_behalf_of": ticket.on_behalf_of if reader.for_whom else None,
        "state": str(ticket.state),
        "category_name": _category_name(ticket.category, reader.locale),
        "area_name": _area(names, ticket.area, reader.locale)["name"],
        "area_path": [_area(names, code, reader.locale) for code in ticket.area_path],
        "department_name": _department_name(names, ticket.department, reader.locale),
        "location": _location(ticket),
        "holder": _holder(ticket, reader),
        "refusal": _refusal(ticket),
        "follow_up": _follow_up(ticket) if reader.insider else None,
        "moves": access.moves(reader, ticket, at),
    }


def step(row: Any, reader: Reader) -> dict[str, Any]:
    """One row of a ticket's history as `reader` may see it. Their own words everyone sees."""
    own = reader.actor_id is not None and row.actor == reader.actor_id
    close = reader.insider
    words = own or (close and (reader.internal or row.move not in _INTERNAL))
    return {
        "sequence": row.sequence,
        "event": row.event,
        "move": row.move,
        "from": row.from_state,
        "to": row.to_state,
        "version": row.version,
        "department": row.department,
        "assignee": row.assignee if close else None,
        "by": {"id": row.actor, "kind": row.actor_kind} if close else None,
        "occurred_at": _iso(row.occurred_at),
        "recorded_at": _iso(row.recorded_at),
        "reason": row.reason if words else None,
        "details": row.details if words else {},
    }


def exclusion(row: Any) -> dict[str, Any]:
    """A row of history that excluded its ticket from a rate."""
    return {
        "rate": row.details["rate"],
        "reason": row.reason,
        "by": row.actor,
        "occurred_at": _iso(row.occurred_at),
    }


def comment(row: Any, reader: Reader) -> dict[str, Any]:
    """One comment as `reader` may see it."""
    return {
        "id": row.id,
        "ticket": row.ticket,
        "sequence": row.sequence,
        "text": row.text,
        "visibility": row.visibility,
        "author": row.author if reader.insider else None,
        "author_kind": row.author_kind if reader.insider else None,
        "occurred_at": _iso(row.occurred_at),
    }


def category(category: Category, locale: str) -> dict[str, Any]:
    """A category with all that the tree says of it."""
    return {
        "code": category.code,
        "parent": category.parent,
        "name": _in(locale, category.names),
        "names": dict(category.names),
        "department": category.department,
        "response_hours": category.response_hours,
        "resolution_hours": category.resolution_hours,
        "emergency": category.emergency,
        "personal": category.personal,
        "attributes": [_attribute(each, locale) for each in category.attributes],
    }


def _attribute(attribute: Attribute, locale: str) -> dict[str, Any]:
    return {
        "code": attribute.code,
        "datatype": attribute.datatype,
        "required": attribute.required,
        "order": attribute.order,
        "description": _in(locale, attribute.descriptions),
        "values": [
            {"key": key, "name": _in(locale, names)} for key, names in attribute.values.items()
        ],
    }


def update(row: Any, locale: str) -> dict[str, Any]:
    """One change of a ticket as everybody may know it who may read the ticket: the state after it,
    and those of its words that the ticket itself shows to all.
    """
    said = {"comments": row.text, "resolution": row.resolution, "refusal": row.refusal}
    text = said.get(row.move)
    return {
        "ticket": row.ticket,
        "sequence": row.sequence,
        "move": row.move,
        "state": row.to_state,
        "recorded_at": _iso(row.recorded_at),
        # What was resolved before it was opened again is no longer what is said of it.
        "text": text if row.move == "comments" or text == row.reason else None,
    }


def name_in(names: Names, by: str, key: str | None, locale: str) -> str | None:
    """What a group is called when something is told `by` area, department, category, …"""
    match by:
        case "area" if key is not None:
            return str(_area(names, key, locale)["name"])
        case "department":
            return _department_name(names, key, locale)
        case "category" if key is not None:
            return _category_name(key, locale)
    return key


def _category_name(code: str, locale: str) -> str:
    found = TREE.get(code)
    return _in(locale, found.names) if found else code


def _area(names: Names, code: str, locale: str) -> dict[str, Any]:
    found = names.areas.get(code)
    if found is None:
        return {"code": code, "level": None, "name": code}
    return {"code": code, "level": found["level"], "name": _in(locale, found["names"])}


def _department_name(names: Names, code: str | None, locale: str) -> str | None:
    found = names.departments.get(code) if code is not None else None
    return _in(locale, found["names"]) if found is not None else code


def _in(locale: str, names: Mapping[str, str]) -> str:
    """The name in the reader's language, else in Chinese, which is always there."""
    return names.get(locale[:2]) or names["zh"]


def _location(ticket: Ticket) -> dict[str, float | None] | None:
    if ticket.latitude is None:
        return None
    return {"lat": ticket.latitude, "lon": ticket.longitude}


def _holder(ticket: Ticket, reader: Reader) -> dict[str, Any] | None:
    found = access.holder(ticket)
    if found is None:
        return None
    kind, who = found
    return {"kind": kind, "id": who if reader.insider or kind != "person" else None}


def _refusal(ticket: Ticket) -> dict[str, Any] | None:
    if ticket.refusal is None:
        return None
    return {"reason": ticket.refusal, "refer_to": ticket.refer_to}


def _follow_up(ticket: Ticket) -> dict[str, Any] | None:
    if ticket.solved is None:
        return None
    return {
        "solved": ticket.solved,
        "satisfied": ticket.satisfied,
        "contacted": ticket.contacted,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else clock.iso(moment)
