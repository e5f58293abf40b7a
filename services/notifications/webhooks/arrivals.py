"""An event arrives: it is kept once, with a delivery for each endpoint that it concerns."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ARRAY, Table, Text, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.events import CloudEvent
from chassis.ids import new_id
from services.notifications.webhooks.event_types import TICKET_EVENTS
from services.notifications.webhooks.matching import Wish, concerns, departments
from services.notifications.webhooks.models import Delivery, Endpoint, Event
from services.notifications.webhooks.outcome import Reason, State
from services.notifications.webhooks.robots import STANDARD

SETTLING = timedelta(seconds=2)
"""For so long an event for an ordered endpoint waits for those before it of its subject: what was
committed together is handled by several workers at once, and may be stored in any order.
"""


def keep(session: Session, event: CloudEvent, at: datetime) -> int:
    """Keep the event for those whom it concerns; for how many endpoints that is."""
    endpoints = concerned(session, event)
    if endpoints:
        put(session, event, event.body, endpoints, at)
    return len(endpoints)


def put(
    session: Session, event: CloudEvent, body: str, endpoints: Sequence[Any], at: datetime
) -> None:
    """Store an event with its deliveries; what is there already stays. For an endpoint that is not
    active the delivery is skipped, so that a replay finds it.
    """
    kept = {"type": event.type, "subject": event.subject, "sequence": event.sequence}
    row = {"id": UUID(event.id), "body": body, "created_at": at, **kept}
    session.execute(insert(Event).values(row).on_conflict_do_nothing())
    deliveries = [
        {"id": new_id(), "endpoint": endpoint.id, "event": row["id"], "created_at": at, **kept}
        | _standing(endpoint.state == "active", at, at + SETTLING if endpoint.ordered else at)
        for endpoint in endpoints
    ]
    session.execute(insert(Delivery).values(deliveries).on_conflict_do_nothing())


def _standing(active: bool, at: datetime, due: datetime) -> dict[str, Any]:
    return {
        "state": State.QUEUED if active else State.SKIPPED,
        "reason": None if active else Reason.ENDPOINT_DISABLED,
        "next_attempt_at": due if active else None,
        "settled_at": None if active else at,
        "claim": 0,
        "failures": 0,
        "losses": 0,
    }


def concerned(session: Session, event: CloudEvent) -> Sequence[Any]:
    """The endpoints that an event concerns, in rows."""
    named = [*departments(event.type, event.data)]
    candidates = session.execute(_CANDIDATES, {"named": named})
    return [row for row in candidates if concerns(_wish(row), event.type, event.data)]


# Built once, and of the table: with every event SQLAlchemy has only its values to look at.
_ENDPOINTS = cast("Table", Endpoint.__table__)
_CANDIDATES = select(
    *(
        _ENDPOINTS.c[name]
        for name in ("id", "state", "format", "ordered", "department", "types", "area")
    )
).where(
    _ENDPOINTS.c.deleted_at.is_(None),
    or_(
        _ENDPOINTS.c.department.is_(None),
        _ENDPOINTS.c.department == func.any(bindparam("named", type_=ARRAY(Text))),
    ),
)


def _wish(row: Any) -> Wish:
    # A group that asked for nothing in particular wants to hear of tickets.
    types = row.types or (() if row.format == STANDARD else TICKET_EVENTS)
    return Wish(row.department, frozenset(types), row.area)
