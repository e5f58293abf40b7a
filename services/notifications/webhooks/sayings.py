"""What a group robot says about an event: its facts in words, made from the event alone. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from services.notifications.texts import Texts
from services.notifications.webhooks.event_types import TEST

_TICKET = "linli.tickets.ticket_"
_TEXTS = Texts()


def say(body: str, departments: Mapping[str, str], locale: str | None = None) -> str:
    """The text about an event as it was on the bus; `departments`: what they are called, by code.
    An event that is of no ticket gets one line.
    """
    event = json.loads(body)
    return _TEXTS.robot(locale, _facts(event["type"], event["data"], departments))


def _facts(
    event_type: str, data: Mapping[str, Any], departments: Mapping[str, str]
) -> dict[str, Any]:
    of_ticket = event_type.startswith(_TICKET)
    code = data.get("department")
    return {
        "type": event_type,
        "what": "test" if event_type == TEST else _verb(event_type),
        "number": data.get("number") if of_ticket else None,
        "state": data.get("state"),
        "department": departments.get(code, code) if code else None,
        "area": data.get("area"),
        "urgent": data.get("priority") == "urgent",
    }


def _verb(event_type: str) -> str:
    """`linli.tickets.ticket_sent_back.v1` gives `sent_back`."""
    return event_type.removeprefix(_TICKET).rpartition(".")[0]
