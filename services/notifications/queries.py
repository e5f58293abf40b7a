"""Reads: pages of an inbox, and how much of it is unread."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from chassis import clock
from services.notifications import cursors
from services.notifications.models import Delivery, Department, Notification, Preference
from services.notifications.texts import Texts, choose_locale

_ORDER = (Notification.at, Notification.sequence, Notification.id)
# PostgreSQL's bigint; a larger number in a cursor is not ours and must not reach the database.
_LARGEST = 2**63 - 1


def inbox(
    session: Session, texts: Texts, person: UUID, locale: str, page: Mapping[str, Any]
) -> dict[str, Any]:
    """`{items, next}`: a page of the person's inbox in the reader's language, newest first."""
    query = inbox_query(person, page["limit"] + 1, page["after"], unread=page["unread"])
    found = session.scalars(query).all()
    names = _department_names(session, found, locale)
    return cursors.page(
        found,
        page["limit"],
        key=lambda item: (item.at.isoformat(), item.sequence, item.id),
        answer=lambda item: _item(texts, item, locale, names),
    )


def inbox_query(
    person: UUID, limit: int, after: str | None = None, *, unread: bool = False
) -> Select[Notification]:
    """The rows of a page; raises BadCursor."""
    query = select(Notification).where(Notification.person == person)
    if unread:
        query = query.where(Notification.read_at.is_(None))
    if after is not None:
        position = cursors.decode(after, clock.parse, _sequence, UUID)
        query = query.where(tuple_(*_ORDER) < tuple_(*position))
    return query.order_by(*(column.desc() for column in _ORDER)).limit(limit)


def inbox_item(session: Session, texts: Texts, item: Notification, locale: str) -> dict[str, Any]:
    """One item of an inbox in the reader's language."""
    return _item(texts, item, locale, _department_names(session, [item], locale))


def unread_count(session: Session, person: UUID) -> int:
    """How many items the person has not read."""
    query = select(func.count()).where(
        Notification.person == person, Notification.read_at.is_(None)
    )
    return session.scalar(query) or 0


def _item(
    texts: Texts, item: Notification, locale: str, names: Mapping[str, str]
) -> dict[str, Any]:
    department = names.get(item.variables.get("department") or "")
    # Numbers are looked up when a message is sent, and for nothing else.
    variables = {"phone": None, **item.variables, "department": department}
    return {
        "id": str(item.id),
        "purpose": item.purpose,
        "title": texts.part(item.purpose, "inbox", "title", locale, variables),
        "body": texts.part(item.purpose, "inbox", "body", locale, variables),
        "ticket": item.ticket and str(item.ticket),
        "number": item.variables.get("number"),
        "at": clock.iso(item.at),
        "read_at": clock.iso(item.read_at) if item.read_at else None,
    }


def _department_names(
    session: Session, items: Sequence[Notification], locale: str
) -> dict[str, str]:
    """Code → name in the reader's language; one we have not heard of yet is left out."""
    codes = {item.variables.get("department") for item in items} - {None}
    if not codes:
        return {}
    language = choose_locale(locale).split("-")[0]
    departments = session.scalars(select(Department).where(Department.code.in_(codes)))
    return {each.code: each.names.get(language) or each.name for each in departments}


def _sequence(text: str) -> int:
    number = int(text)
    if abs(number) > _LARGEST:
        raise ValueError("out of range")
    return number


def held_on(session: Session, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`{items, next, preferences}`: a page of references to what a person was told, newest first,
    each with the messages that told it, by itself or in a digest; and what they said that they
    prefer, None if nothing.
    """
    found = session.scalars(
        inbox_query(wanted["person"], wanted["limit"] + 1, wanted["after"])
    ).all()
    messages = _messages(session, found)
    page = cursors.page(
        found,
        wanted["limit"],
        key=lambda item: (item.at.isoformat(), item.sequence, item.id),
        answer=lambda item: {
            "id": str(item.id),
            "purpose": item.purpose,
            "ticket": item.ticket and str(item.ticket),
            "at": clock.iso(item.at),
            "read_at": clock.iso(item.read_at) if item.read_at else None,
            "deliveries": messages[item.id],
        },
    )
    return {**page, "preferences": _preferred(session.get(Preference, wanted["person"]))}


def _messages(
    session: Session, items: Sequence[Notification]
) -> Mapping[UUID | None, list[dict[str, Any]]]:
    """By inbox item, what became of its messages, and of the digest that it is part of; where one
    failed and another was sent instead, of both.
    """
    found: dict[UUID | None, dict[UUID, Delivery]] = defaultdict(dict)
    digest = aliased(Delivery)
    parts = (
        select(Delivery, digest)
        .outerjoin(digest, Delivery.digest.in_([digest.id, digest.instead_of]))
        .where(Delivery.notification.in_([item.id for item in items]))
        .order_by(Delivery.created_at, digest.created_at)
    )
    for row in session.execute(parts):
        found[row[0].notification].update({each.id: each for each in row if each})
    return defaultdict(
        list, {item: [_message(each) for each in by.values()] for item, by in found.items()}
    )


def _message(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": str(delivery.id),
        "purpose": delivery.purpose,
        "channel": delivery.channel,
        "state": delivery.state,
        "reason": delivery.reason,
        "created_at": clock.iso(delivery.created_at),
    }


def _preferred(row: Preference | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "purposes": row.choices,
        "quiet_from": row.quiet_from and f"{row.quiet_from:%H:%M}",
        "quiet_to": row.quiet_to and f"{row.quiet_to:%H:%M}",
        "digest": row.digest,
        "updated_at": clock.iso(row.updated_at),
    }
