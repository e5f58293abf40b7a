"""What both peers know of tickets, in plain values: what is stored at a filing, what is told."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

from bench.peers.tables import Area, History, Outbox, Ticket

CATEGORIES = {"water.burst_pipe": "水管爆裂", "water.no_supply": "停水"}
URGENT = {"water.burst_pipe"}
CHANNELS = ("page", "phone", "counter", "home_visit", "meeting", "hotline", "patrol")
EVENT = "tickets.ticket_filed.v1"
_COMMANDS = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
_SAME = (
    *("number", "kind", "state", "version", "sequence", "category", "title", "description"),
    *("attributes", "media_url", "area", "address", "channel", "visibility", "priority"),
    *("department", "send_backs", "reopenings", "call_attempts", "resolution"),
)
_PERSONS = ("id", "reporter", "on_behalf_of", "filed_by", "assignee", "responsible")
_MOMENTS = (
    *("filed_at", "recorded_at", "changed_at", "accepted_at", "assigned_at", "started_at"),
    *("resolved_at", "answer_by", "closed_at", "reopened_at"),
)


def digest(text: bytes) -> bytes:
    """By which tokens, keys and bodies are known."""
    return hashlib.sha256(text).digest()


def scope_of(owner: UUID, key: str) -> tuple[bytes, UUID]:
    """By what a caller's Idempotency-Key is kept, and the command that it stands for."""
    scope = f"{owner} POST /api/v1/tickets {key}"
    return digest(scope.encode()), uuid5(_COMMANDS, scope)


def filed(
    body: Mapping[str, Any], area: Area, owner: UUID, command_id: UUID, number: int
) -> tuple[Ticket, History, Outbox]:
    """The rows of a new ticket: itself, its first history and its event."""
    now = datetime.now(UTC)
    ticket = Ticket(
        **{name: body.get(name) for name in ("title", "media_url", "address")},
        **{name: body[name] for name in ("kind", "category", "description", "channel")},
        id=uuid7(),
        number=f"{now:%Y%m%d}-{number:06d}",
        command_id=command_id,
        state="filed",
        version=1,
        sequence=1,
        attributes=body.get("attributes") or {},
        area=area.code,
        area_path=area.path,
        visibility=body["visibility"],
        priority="urgent" if body["category"] in URGENT else "normal",
        reporter=owner,
        filed_by=owner,
        send_backs=0,
        reopenings=0,
        call_attempts=0,
        filed_at=now,
        recorded_at=now,
        changed_at=now,
    )
    return ticket, _history(ticket), _event(ticket, area)


def _history(ticket: Ticket) -> History:
    return History(
        ticket=ticket.id,
        sequence=1,
        move="filing",
        to_state=ticket.state,
        actor=ticket.filed_by,
        occurred_at=ticket.filed_at,
        recorded_at=ticket.recorded_at,
        details={"category": ticket.category},
        command_id=ticket.command_id,
    )


def _event(ticket: Ticket, area: Area) -> Outbox:
    told = ("number", "kind", "category", "area", "state", "version", "department", "visibility")
    event_id = uuid7()
    body = {
        "specversion": "1.0",
        "id": str(event_id),
        "type": EVENT,
        "source": "/tickets",
        "subject": str(ticket.id),
        "time": ticket.filed_at.isoformat(),
        "datacontenttype": "application/json",
        "partitionkey": str(ticket.id),
        "sequence": f"{ticket.sequence:010d}",
        "data": {
            "ticket": str(ticket.id),
            **{name: getattr(ticket, name) for name in told},
            "channel": ticket.channel,
            "priority": ticket.priority,
            "reporter": str(ticket.reporter),
            "actor": str(ticket.filed_by),
            "occurred_at": ticket.filed_at.isoformat(),
            "recorded_at": ticket.recorded_at.isoformat(),
        },
    }
    key = f"ticket.filed.v1.none.{area.routing}"
    return Outbox(event_id=event_id, routing_key=key, body=body)


def told(ticket: Ticket, areas: Mapping[str, Area]) -> dict[str, Any]:
    """A ticket as JSON values, names beside its codes."""
    return {
        **{name: getattr(ticket, name) for name in _SAME},
        **{name: _text(getattr(ticket, name)) for name in _PERSONS},
        **{name: _iso(getattr(ticket, name)) for name in _MOMENTS},
        "category_name": CATEGORIES[ticket.category],
        "area_name": areas[ticket.area].name,
        "area_path": [
            {"code": code, "name": areas[code].name, "level": areas[code].level}
            for code in ticket.area_path
        ],
        **dict.fromkeys(("department_name", "location", "holder", "refusal", "follow_up")),
        "moves": ["withdrawal"] if ticket.state == "filed" else [],
    }


def page(tickets: Sequence[Ticket], areas: Mapping[str, Area], limit: int) -> dict[str, Any]:
    """Up to `limit` of the tickets found, and where the next page begins."""
    shown = tickets[:limit]
    return {
        "items": [told(ticket, areas) for ticket in shown],
        "next": str(shown[-1].id) if len(tickets) > limit else None,
    }


def codes_of(tickets: Sequence[Ticket]) -> set[str]:
    """Of all the places whose names are told with the tickets."""
    return {code for ticket in tickets for code in ticket.area_path}


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
