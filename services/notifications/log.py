"""The log of deliveries: what became of each message, with every attempt. To whom, it says by id:
neither number nor address nor text is kept.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, select, tuple_
from sqlalchemy.orm import Session

from chassis import clock
from services.notifications import cursors
from services.notifications.models import Attempt, Delivery, Notification

_FILTERS = ("state", "reason", "channel", "purpose", "person", "urgent")


def deliveries(session: Session, page: Mapping[str, Any]) -> dict[str, Any]:
    """`{items, next}`: deliveries with their attempts, newest first; to whom by id, no phone."""
    found = session.execute(deliveries_query({**page, "limit": page["limit"] + 1})).all()
    attempts = _attempts(session, [row.Delivery.id for row in found])
    return cursors.page(
        found,
        page["limit"],
        key=lambda row: (row.Delivery.created_at.isoformat(), row.Delivery.id),
        answer=lambda row: _delivery(row, attempts.get(row.Delivery.id, [])),
    )


def deliveries_query(page: Mapping[str, Any]) -> Select[Delivery, Notification]:
    """The rows of a page; raises BadCursor."""
    order = (Delivery.created_at, Delivery.id)
    query = (
        select(Delivery, Notification)
        .outerjoin(Notification, Notification.id == Delivery.notification)
        .where(*_conditions(page))
    )
    if page.get("after") is not None:
        position = cursors.decode(page["after"], clock.parse, UUID)
        query = query.where(tuple_(*order) < tuple_(*position))
    return query.order_by(*(column.desc() for column in order)).limit(page["limit"])


def _conditions(page: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    given = {name: page[name] for name in _FILTERS if page.get(name) is not None}
    found = [getattr(Delivery, name) == value for name, value in given.items()]
    if page.get("ticket") is not None:
        found.append(Notification.ticket == page["ticket"])
    if page.get("since") is not None:
        found.append(Delivery.created_at >= page["since"])
    if page.get("until") is not None:
        found.append(Delivery.created_at < page["until"])
    return found


def _delivery(row: Row[Delivery, Notification], attempts: list[Any]) -> dict[str, Any]:
    delivery, news = row
    return {
        "id": str(delivery.id),
        "purpose": delivery.purpose,
        "channel": delivery.channel,
        "urgent": delivery.urgent,
        "digest": str(delivery.digest) if delivery.digest else None,
        "instead_of": str(delivery.instead_of) if delivery.instead_of else None,
        "person": str(delivery.person) if delivery.person else None,
        "ticket": str(news.ticket) if news and news.ticket else None,
        "state": delivery.state,
        "reason": delivery.reason,
        "next_attempt_at": _moment(delivery.next_attempt_at),
        "created_at": _moment(delivery.created_at),
        "settled_at": _moment(delivery.settled_at),
        "attempts": attempts,
    }


def _attempts(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The attempts of each delivery, in order."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    query = select(Attempt).where(Attempt.delivery.in_(ids))
    for attempt in session.scalars(query.order_by(Attempt.delivery, Attempt.number)):
        found.setdefault(attempt.delivery, []).append(
            {
                "number": attempt.number,
                "at": _moment(attempt.at),
                "reason": attempt.reason,
                "status": attempt.status,
                "duration_ms": attempt.duration_ms,
                "next_attempt_at": _moment(attempt.next_attempt_at),
            }
        )
    return found


def _moment(moment: datetime | None) -> str | None:
    return clock.iso(moment) if moment else None
