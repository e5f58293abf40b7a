"""The tables of webhooks: endpoints with their secrets, the events that concern them, a delivery
for each endpoint, each attempt; and who works for a department, and so hears when its endpoint is
disabled.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from chassis import trace
from services.notifications.models import Base

_QUEUED = text("state = 'queued'")


class Endpoint(Base):
    """Where events are handed over, to whom it belongs, which it gets, and how it fares.

    `department` None: it gets what concerns anybody. `rate` is in requests a minute. `failures` are
    those in a row; with many, `probe_at` is when the next attempt may be made. Before `ready_at`
    nothing is sent: its rate, or the receiver, said so. `served_at` sees to it that all have their
    turn. A pending one waits for the receiver's consent, asked for at `handshake_at`. Of a group
    robot `url` is what may be shown, and `robot` what it is spoken to with, sealed.
    """

    __tablename__ = "webhook_endpoint"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    command: Mapped[UUID] = mapped_column(unique=True)
    department: Mapped[str | None]
    created_by: Mapped[UUID | None] = mapped_column(index=True)
    format: Mapped[str]
    url: Mapped[str]
    robot: Mapped[bytes | None]
    label: Mapped[str]
    types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    area: Mapped[str | None]
    ordered: Mapped[bool]
    rate: Mapped[int] = mapped_column(Integer)
    handshake: Mapped[bool]
    state: Mapped[str]
    reason: Mapped[str | None]
    failures: Mapped[int] = mapped_column(Integer, default=0)
    failing_since: Mapped[datetime | None]
    probe_at: Mapped[datetime | None]
    ready_at: Mapped[datetime]
    tokens: Mapped[float] = mapped_column(Float)
    tokens_at: Mapped[datetime]
    served_at: Mapped[datetime]
    allowed_rate: Mapped[int | None] = mapped_column(Integer)
    handshake_at: Mapped[datetime | None]
    handshakes: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "state IN ('pending', 'active', 'disabled')", name="webhook_endpoint_state"
        ),
        CheckConstraint("rate > 0", name="webhook_endpoint_rate"),
        CheckConstraint(
            "(format = 'standard') = (robot IS NULL)", name="webhook_endpoint_robot_sealed"
        ),
        Index("webhook_endpoint_of", "department", "id"),
        Index(
            "webhook_handshake_due",
            "handshake_at",
            postgresql_where=text("handshake_at IS NOT NULL"),
        ),
        Index("webhook_deleted", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )


class Secret(Base):
    """What an endpoint's deliveries are signed with, sealed; until `ends_at`."""

    __tablename__ = "webhook_secret"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    endpoint: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoint.id"), index=True)
    command: Mapped[UUID]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("endpoint", "command", name="webhook_secret_command"),)


class Event(Base):
    """An event that concerns some endpoint, once, as it was on the bus."""

    __tablename__ = "webhook_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str]
    subject: Mapped[str]
    sequence: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)


class Delivery(Base):
    """One event for one endpoint, and where that stands.

    Claims are leases, as those of messages to people: who takes it numbers its `claim` and moves
    `next_attempt_at` by the lease. `failures` are counted on the schedule and begin anew with a
    redelivery; the attempts stay. `traceparent`: as of messages to people.
    """

    __tablename__ = "webhook_delivery"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    endpoint: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoint.id"))
    event: Mapped[UUID] = mapped_column(ForeignKey("webhook_event.id"))
    type: Mapped[str]
    subject: Mapped[str]
    sequence: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    reason: Mapped[str | None]
    next_attempt_at: Mapped[datetime | None]
    claim: Mapped[int] = mapped_column(Integer, default=0)
    claimed_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer, default=0)
    losses: Mapped[int] = mapped_column(Integer, default=0)
    traceparent: Mapped[str | None] = mapped_column(default=trace.kept)
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        # However often an event comes, or is asked for again: one delivery.
        UniqueConstraint("event", "endpoint", name="webhook_delivery_once"),
        CheckConstraint(
            "state IN ('queued', 'delivered', 'failed', 'skipped')", name="webhook_delivery_state"
        ),
        CheckConstraint(
            "(state = 'queued') = (next_attempt_at IS NOT NULL)", name="webhook_due_while_queued"
        ),
        # What the sender looks at holds what is queued and none of the history.
        Index("webhook_due", "endpoint", "next_attempt_at", postgresql_where=_QUEUED),
        Index("webhook_order", "endpoint", "subject", "sequence", postgresql_where=_QUEUED),
        Index("webhook_in_hand", "endpoint", postgresql_where=text("claimed_at IS NOT NULL")),
        # The log of one endpoint, newest first, all of it or of one state or type.
        Index("webhook_by_time", "endpoint", "created_at", "id"),
        Index("webhook_by_state", "endpoint", "state", "created_at", "id"),
        Index("webhook_by_type", "endpoint", "type", "created_at", "id"),
    )


class Attempt(Base):
    """One try: what was sent (without signatures), what came back, how it ended."""

    __tablename__ = "webhook_attempt"

    delivery: Mapped[UUID] = mapped_column(ForeignKey("webhook_delivery.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime]
    reason: Mapped[str]
    url: Mapped[str]
    request: Mapped[dict[str, Any]]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    response: Mapped[dict[str, Any]]
    excerpt: Mapped[str]
    duration_ms: Mapped[int] = mapped_column(Integer)
    next_attempt_at: Mapped[datetime | None]


class Clerk(Base):
    """A duty of a department's clerk, first and last day included, from the registry's events."""

    __tablename__ = "clerk"

    duty: Mapped[UUID] = mapped_column(primary_key=True)
    person: Mapped[UUID] = mapped_column(index=True)
    department: Mapped[str] = mapped_column(index=True)
    starts: Mapped[date]
    ends: Mapped[date | None]
    sequence: Mapped[int] = mapped_column(BigInteger)
