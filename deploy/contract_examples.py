"""An example of every event, made from its schema: the same every time, with nobody real in it."""

from collections.abc import Mapping
from typing import Any

VALUES: Mapping[str, Any] = {
    "ticket": "0198c0de-0000-7000-8000-000000000042",
    "number": "20260801-000042",
    "kind": "request",
    "category": "water.no_supply",
    "version": 3,
    "departments": ["water"],
    "assignee": None,
    "reporter": "0198c0de-0000-7000-8000-000000000007",
    "visibility": "private",
    "channel": "page",
    "priority": "normal",
    "actor": "0198c0de-0000-7000-8000-000000000009",
    "occurred_at": "2026-08-01T09:30:00+08:00",
    "recorded_at": "2026-08-01T09:30:00+08:00",
    "previous_department": None,
    "previous_assignee": None,
    "send_backs": 1,
    "reopenings": 1,
    "solved": "yes",
    "satisfied": "yes",
    "contacted": "yes",
    "comment": "0198c0de-0000-7000-8000-000000000051",
    "comment_visibility": "public",
    "fields": ["category"],
    "rate": "resolution_rate",
    "area": "340603008002.e1.g1",
    "level": "grid",
    "parent": "340603008002.e1",
    "path": [
        *("340603000000", "340603008000", "340603008002"),
        *("340603008002.e1", "340603008002.e1.g1"),
    ],
    "routing": "340603.008.002.e1.g1",
    "department": "water",
    "active": True,
    "duty": "0198c0de-0000-7000-8000-000000000031",
    "person": "0198c0de-0000-7000-8000-000000000009",
    "role": "department_clerk",
    "from": "2026-01-01",
    "to": None,
    "resident": "0198c0de-0000-7000-8000-000000000007",
    "change": "0198c0de-0000-7000-8000-000000000062",
    "household": "0198c0de-0000-7000-8000-000000000061",
    "grid": "340603008002.e1.g1",
    "building": "340603008002.e1.g1.b1",
    "tenure": "owned",
    "registered": True,
}
"""A value for each field, by the field's name."""

GRID = {"code": VALUES["area"], "name": "第一网格", "names": {"zh": "第一网格", "en": "Grid 1"}}
WATER = {"code": "water", "name": "供水公司", "names": {"zh": "供水公司", "en": "Water company"}}
AT_A_DOOR: Mapping[str, Any] = {"area": "340603008002.e1.g1.b1.u1"}
UNASSIGNED: Mapping[str, Any] = {"department": None, "departments": [], "version": 1}
LEFT = {"department": None, "previous_department": "water", "version": 4}
OF_TYPE: Mapping[str, Mapping[str, Any]] = {
    "ticket_filed": {"state": "filed", **UNASSIGNED},
    "ticket_accepted": {"state": "accepted", **UNASSIGNED, "version": 2},
    "ticket_refused": {"state": "refused", **UNASSIGNED, "version": 2},
    "ticket_assigned": {"state": "assigned"},
    "ticket_started": {"state": "in_progress", "version": 4, "assignee": VALUES["actor"]},
    "ticket_sent_back": {"state": "accepted", **LEFT},
    "ticket_resolved": {"state": "resolved", "version": 5},
    "ticket_rated": {"state": "resolved", "version": 5, "actor": VALUES["reporter"]},
    "ticket_closed": {"state": "closed", "version": 6, "actor": VALUES["reporter"]},
    "ticket_reopened": {"state": "assigned", "version": 6, "actor": VALUES["reporter"]},
    "ticket_withdrawn": {"state": "withdrawn", **UNASSIGNED, "actor": VALUES["reporter"]},
    "ticket_commented": {"state": "assigned"},
    "ticket_amended": {"state": "assigned"},
    "ticket_excluded": {"state": "closed"},
    "ticket_included": {"state": "closed"},
    "area_added": GRID,
    "area_renamed": GRID,
    "department_added": WATER,
    "department_changed": {**WATER, "active": False},
    "household_registered": {**AT_A_DOOR, "version": 1},
    "household_amended": {**AT_A_DOOR, "version": 2},
    "household_closed": {**AT_A_DOOR, "to": "2026-10-31", "version": 3},
    "resident_moved_in": AT_A_DOOR,
    "resident_moved_out": {**AT_A_DOOR, "to": "2026-10-31"},
    "duty_started": {"area": None},
    "duty_changed": {"area": None, "to": "2026-12-31"},
    "duty_ended": {"area": None, "to": "2026-08-31"},
}
"""What differs from that, by the type's name."""


def event(event_type: str, source: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """A whole event of the type whose data has the JSON Schema `data`; raises LookupError for a
    field that has no value here.
    """
    name = event_type.split(".")[2]
    values = {**VALUES, **OF_TYPE.get(name, {})}
    if missing := sorted(set(data["properties"]) - set(values)):
        raise LookupError(f"{event_type}: give {missing} a value in {__file__}")
    subject = values.get("code") or values[name.partition("_")[0]]
    return {
        "specversion": "1.0",
        "id": "0198c0de-0000-7000-8000-00000000e001",
        "type": event_type,
        "source": source,
        "subject": subject,
        "time": VALUES["occurred_at"],
        "datacontenttype": "application/json",
        "dataschema": f"urn:linli:schema:{event_type}",
        "partitionkey": subject,
        "sequence": f"{values['version']:010d}",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "data": {field: values[field] for field in data["properties"]},
    }
