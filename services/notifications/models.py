"""The tables of notifications: what people were told, how it is delivered, each attempt.

No table has a column for a phone number, a name or a text: whoever is to be told stands here by id,
and texts are rendered from the purpose when somebody reads them.
"""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis import trace


class Base(DeclarativeBase):
    """The base of this service's models."""

    type_annotation_map = {datetime: DateTime(timezone=True), str: Text, dict[str, Any]: JSONB}


class Notification(Base):
    """One person told one thing because of one event: an item of their inbox.

    `at` is when it happened, `sequence` its place among the ticket's events, if it is of one.
    """

    __tablename__ = "notification"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event: Mapped[UUID]
    person: Mapped[UUID]
    purpose: Mapped[str]
    ticket: Mapped[UUID | None]
    sequence: Mapped[int] = mapped_column(BigInteger)
    variables: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        # However many of the table's rows name them.
        UniqueConstraint("event", "person", name="notification_told_once"),
        Index("notification_inbox", "person", "at", "sequence", "id"),
        Index("notification_of_ticket", "ticket"),
        # What is old enough is forgotten from its beginning.
        Index("notification_by_time", "created_at"),
        # Most of an old inbox has been read: counting what is not must not read the rest.
        Index(
            "notification_unread",
            "person",
            "at",
            "sequence",
            "id",
            postgresql_where=text("read_at IS NULL"),
        ),
    )


class Delivery(Base):
    """One message, and where it stands. `channels` may carry it; `channel` is the one that does.

    `next_attempt_at` is when it is due while it is queued. A worker that takes it moves that time
    by its lease and numbers its `claim`; what it has not recorded when the lease is over is due
    again. The counts are of failures, by kind. A digest has no notification, but the deliveries of
    what it tells name it; a sign-in code has neither notification nor person. `instead_of` is the
    delivery that failed for good and left its message to this one. `traceparent` names the span, if
    it is recorded, that attempts belong to.
    """

    __tablename__ = "delivery"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    notification: Mapped[UUID | None] = mapped_column(ForeignKey("notification.id"))
    person: Mapped[UUID | None]
    digest: Mapped[UUID | None]
    instead_of: Mapped[UUID | None]
    purpose: Mapped[str]
    channel: Mapped[str]
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    urgent: Mapped[bool] = mapped_column(default=False, server_default="false")
    state: Mapped[str]
    reason: Mapped[str | None]
    next_attempt_at: Mapped[datetime | None]
    claim: Mapped[int] = mapped_column(Integer, default=0)
    claimed_at: Mapped[datetime | None]
    provider_failures: Mapped[int] = mapped_column(Integer, default=0)
    waits: Mapped[int] = mapped_column(Integer, default=0)
    losses: Mapped[int] = mapped_column(Integer, default=0)
    provider_reference: Mapped[str | None]
    traceparent: Mapped[str | None] = mapped_column(default=trace.kept)
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        # However many channels match: of one event one message is on its way or has arrived. The
        # next channel's may follow only what has failed, and follows it once.
        Index(
            "delivery_once", "notification", unique=True, postgresql_where=text("state <> 'failed'")
        ),
        UniqueConstraint("instead_of", name="delivery_instead_once"),
        Index("delivery_of_notification", "notification"),
        CheckConstraint(
            "state IN ('queued', 'collected', 'delivered', 'failed', 'skipped')",
            name="delivery_state",
        ),
        CheckConstraint(
            "(state = 'queued') = (next_attempt_at IS NOT NULL)", name="delivery_due_while_queued"
        ),
        # The worker's look-up sees what is queued and none of the history.
        Index("delivery_due", "next_attempt_at", postgresql_where=text("state = 'queued'")),
        # Both find a person's digest among years of messages.
        Index("delivery_collected", "person", postgresql_where=text("state = 'collected'")),
        Index("delivery_in_digest", "digest", postgresql_where=text("digest IS NOT NULL")),
        # Administrators look for the few that failed among the many that did not, for what went
        # wrong in one way, for what became of one person's, and through all, newest first.
        Index("delivery_by_time", "created_at", "id"),
        Index("delivery_by_state", "state", "created_at", "id"),
        Index("delivery_by_reason", "reason", "created_at", "id"),
        Index("delivery_by_person", "person", "created_at", "id"),
    )


class Attempt(Base):
    """One try at a delivery: how it ended, how long it took, when the next one is due."""

    __tablename__ = "attempt"

    delivery: Mapped[UUID] = mapped_column(ForeignKey("delivery.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime]
    reason: Mapped[str]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    duration_ms: Mapped[int] = mapped_column(Integer)
    next_attempt_at: Mapped[datetime | None]


class Preference(Base):
    """What one person prefers, once they have said something; see `choices` and `quiet`.

    `choices` keeps what differs from the defaults. Hours are those of the wall clock, and both are
    None for whoever wants none that are quiet.
    """

    __tablename__ = "preference"

    person: Mapped[UUID] = mapped_column(primary_key=True)
    choices: Mapped[dict[str, Any]]
    quiet_from: Mapped[time | None]
    quiet_to: Mapped[time | None]
    digest: Mapped[str]
    next_digest_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    __table_args__ = (
        Index(
            "preference_digest_due",
            "next_digest_at",
            postgresql_where=text("next_digest_at IS NOT NULL"),
        ),
    )


class Forgotten(Base):
    """Somebody who was erased, by id, and when: news that comes late is for nobody."""

    __tablename__ = "forgotten"

    person: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Restored(Base):
    """When this database was restored from a backup. What is told of events that were made before
    may have been sent by the system that the backup was taken of.
    """

    __tablename__ = "restored"

    at: Mapped[datetime] = mapped_column(primary_key=True)


class Edited(Base):
    """One version of an edited template. `parts` None: the shipped text again. `by` is who did it,
    by id.
    """

    __tablename__ = "edited"

    purpose: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    locale: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    parts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[datetime]
    by: Mapped[str | None]
    current: Mapped[bool]

    __table_args__ = (
        # What holds is read with every inbox: it must not read what held before.
        Index(
            "edited_current",
            "purpose",
            "channel",
            "locale",
            unique=True,
            postgresql_where=text("current"),
        ),
    )


class Progress(Base):
    """The latest step of each ticket that was seen, so that nobody is sent stale news."""

    __tablename__ = "progress"

    ticket: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class Department(Base):
    """What departments are called, kept from the events of residents."""

    __tablename__ = "department"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    names: Mapped[dict[str, Any]]
    sequence: Mapped[int] = mapped_column(BigInteger)
