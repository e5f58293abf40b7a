"""The tables of both peers: in the gateway's database and in that of tickets."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Identity, Index, LargeBinary, Sequence, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_TYPES = {
    str: Text,
    bytes: LargeBinary,
    datetime: DateTime(timezone=True),
    list[str]: ARRAY(Text),
    dict[str, Any]: JSONB,
}


class Gateway(DeclarativeBase):
    """What the gateway keeps."""

    type_annotation_map = _TYPES


class ApiKey(Gateway):
    """Who may ask: by a digest of the token."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    owner: Mapped[UUID]
    scopes: Mapped[list[str]]


class IdempotencyKey(Gateway):
    """A POST and, once it has one, its answer."""

    __tablename__ = "idempotency_keys"

    scope: Mapped[bytes] = mapped_column(primary_key=True)
    body_digest: Mapped[bytes]
    command_id: Mapped[UUID]
    status: Mapped[int | None]
    answer: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class Tickets(DeclarativeBase):
    """What tickets keeps."""

    type_annotation_map = _TYPES


NUMBERS = Sequence("ticket_numbers", metadata=Tickets.metadata)


class Area(Tickets):
    """A place and the codes from its district down to it."""

    __tablename__ = "areas"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    level: Mapped[str]
    path: Mapped[list[str]]
    routing: Mapped[str]


class Ticket(Tickets):
    """A ticket as it stands."""

    __tablename__ = "tickets"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    command_id: Mapped[UUID] = mapped_column(unique=True)
    kind: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    sequence: Mapped[int]
    category: Mapped[str]
    title: Mapped[str | None]
    description: Mapped[str]
    attributes: Mapped[dict[str, Any]]
    media_url: Mapped[str | None]
    area: Mapped[str]
    area_path: Mapped[list[str]]
    address: Mapped[str | None]
    channel: Mapped[str]
    visibility: Mapped[str]
    priority: Mapped[str]
    reporter: Mapped[UUID | None]
    on_behalf_of: Mapped[UUID | None]
    filed_by: Mapped[UUID | None]
    department: Mapped[str | None]
    assignee: Mapped[UUID | None]
    responsible: Mapped[UUID | None]
    send_backs: Mapped[int]
    reopenings: Mapped[int]
    call_attempts: Mapped[int]
    resolution: Mapped[str | None]
    filed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    answer_by: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "reporter", "filed_at", "id"),
        Index(None, "state", "filed_at", "id"),
        Index(None, "category", "filed_at", "id"),
        Index(None, "area", "filed_at", "id"),
        Index(None, "department", "filed_at", "id"),
        Index(None, "changed_at", "id"),
    )


class History(Tickets):
    """One change of one ticket."""

    __tablename__ = "history"

    ticket: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    move: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    actor: Mapped[UUID | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]]
    command_id: Mapped[UUID | None]


class Outbox(Tickets):
    """An event that is not published yet."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    event_id: Mapped[UUID]
    routing_key: Mapped[str]
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
