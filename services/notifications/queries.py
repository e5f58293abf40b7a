"""Reads: pages of an inbox, and how much of it is unread."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from chassis import clock
from services.notifications import cursors
from services.notifications.models import Department, Notification
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
    variables = {**item.variables, "department": department}
    return {
        "id": str(item.id),
        "purpose": item.purpose,
        "title": texts.part(item.purpose, "inbox", "title", locale, variables),
        "body": texts.part(item.purpose, "inbox", "body", locale, variables),
        "ticket": str(item.ticket),
        "number": item.variables["number"],
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
    """`{items, next}`: a page of references to what a person was told, newest first."""
    found = session.scalars(inbox_query(wanted["person"], wanted["limit"] + 1, wanted["after"]))
    return cursors.page(
        found.all(),
        wanted["limit"],
        key=lambda item: (item.at.isoformat(), item.sequence, item.id),
        answer=lambda item: {
            "id": str(item.id),
            "purpose": item.purpose,
            "ticket": str(item.ticket),
            "at": clock.iso(item.at),
            "read_at": clock.iso(item.read_at) if item.read_at else None,
        },
    )
