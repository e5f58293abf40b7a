"""The tables of tickets: each ticket as it stands, its history and comments. What is kept of other
services' facts is in fact_models.py.

The indexes are justified in the migration that makes them.
"""

from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSVECTOR, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis import tables

# In the "C" collation the unique index also serves a number's first digits (LIKE '20261101%').
_Number = Text(collation="C")
# And a place with all in it is one range of codes.
_Code = Text(collation="C")
_Id = UUID(as_uuid=False)


class Base(DeclarativeBase):
    """Everything that the migrations make, but for the chassis' own tables."""

    metadata = tables.metadata()
    type_annotation_map = {
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


TICKET_NUMBERS = Sequence("ticket_numbers", metadata=Base.metadata)


class NumberDay(Base):
    """Where the one sequence of numbers stood when a day's first ticket was filed."""

    __tablename__ = "number_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    base: Mapped[int] = mapped_column(BigInteger)


class TicketRow(Base):
    """A ticket as it stands; field by field `ticket.Ticket`, and `search`, by which it is found."""

    __tablename__ = "tickets"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    number: Mapped[str] = mapped_column(_Number, unique=True)
    kind: Mapped[str]
    # Whatever is filed twice under one command is one ticket, for ever.
    command_id: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[str]
    version: Mapped[int]
    sequence: Mapped[int]

    category: Mapped[str]
    title: Mapped[str | None]
    description: Mapped[str]
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    media_url: Mapped[str | None]
    area: Mapped[str] = mapped_column(_Code)
    area_path: Mapped[list[str]]
    # By which the wall tells communities apart.
    community: Mapped[str | None] = mapped_column(Computed("left(area, 12)", persisted=True))
    place: Mapped[str]
    address: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    channel: Mapped[str]
    visibility: Mapped[str]
    priority: Mapped[str]

    reporter: Mapped[str | None] = mapped_column(_Id)
    on_behalf_of: Mapped[str | None] = mapped_column(_Id)
    filed_by: Mapped[str | None]

    department: Mapped[str | None]
    assignee: Mapped[str | None] = mapped_column(_Id)
    accepted_by: Mapped[str | None]
    responsible: Mapped[str | None]
    send_backs: Mapped[int]
    reopenings: Mapped[int]

    resolution: Mapped[str | None]
    refusal: Mapped[str | None]
    refer_to: Mapped[str | None]
    solved: Mapped[str | None]
    satisfied: Mapped[str | None]
    contacted: Mapped[str | None]
    call_attempts: Mapped[int] = mapped_column(server_default=text("0"))
    answer_by: Mapped[datetime | None]

    filed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]

    search: Mapped[str] = mapped_column(TSVECTOR)

    __table_args__ = (
        CheckConstraint(
            "state IN ('filed', 'accepted', 'assigned', 'in_progress',"
            " 'resolved', 'closed', 'refused', 'withdrawn')",
            name="state",
        ),
        CheckConstraint(
            "state NOT IN ('assigned', 'in_progress') OR num_nonnulls(department, assignee) > 0",
            name="holder",
        ),
        CheckConstraint("visibility IN ('public', 'private')", name="visibility"),
        CheckConstraint("num_nonnulls(latitude, longitude) <> 1", name="location"),
        Index(None, "filed_at", "id"),
        Index(None, "changed_at", "id"),
        Index(None, "state", "filed_at", "id"),
        Index(None, "category", "filed_at", "id"),
        Index(
            None, "department", "filed_at", "id", postgresql_where=text("department IS NOT NULL")
        ),
        Index(None, "assignee", "filed_at", "id", postgresql_where=text("assignee IS NOT NULL")),
        Index(None, "reporter", "filed_at", "id", postgresql_where=text("reporter IS NOT NULL")),
        Index(None, "filed_by", "filed_at", "id", postgresql_where=text("filed_by IS NOT NULL")),
        Index(
            "tickets_on_behalf_of_filed_at_id",
            *("on_behalf_of", "filed_at", "id"),
            postgresql_where=text("on_behalf_of IS NOT NULL"),
        ),
        Index(None, "accepted_by", postgresql_where=text("state = 'accepted'")),
        Index(None, "resolved_at", "id", postgresql_where=text("state = 'resolved'")),
        Index(None, "answer_by", postgresql_where=text("state = 'resolved'")),
        Index(None, "area_path", postgresql_using="gin"),
        Index(None, "area"),
        Index(None, "community", "filed_at", "id"),
        Index(
            "tickets_public_filed_at_id",
            *("filed_at", "id"),
            postgresql_where=text("visibility = 'public'"),
        ),
        Index(None, "search", postgresql_using="gin"),
    )


class HistoryRow(Base):
    """One change of one ticket, and the event it made: same ticket, same `sequence`."""

    __tablename__ = "history"

    ticket: Mapped[str] = mapped_column(_Id, ForeignKey("tickets.id"), primary_key=True)
    # The key that stops two from making the same step: the second to number it fails.
    sequence: Mapped[int] = mapped_column(primary_key=True)
    move: Mapped[str]
    event: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    version: Mapped[int]
    department: Mapped[str | None]
    assignee: Mapped[str | None] = mapped_column(_Id)
    actor: Mapped[str | None]
    actor_kind: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    # In people's own words, why; everything else that the move said is in `details`.
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]]
    # Of the rows that one command makes, the first has its id.
    command_id: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("ticket", "command_id"),
        Index(None, "recorded_at", "ticket", "sequence"),
    )


class CommentRow(Base):
    """What somebody wrote under a ticket, for all who may read it or among staff (`internal`)."""

    __tablename__ = "comments"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    ticket: Mapped[str] = mapped_column(_Id, ForeignKey("tickets.id"))
    sequence: Mapped[int]
    author: Mapped[str | None]
    author_kind: Mapped[str]
    visibility: Mapped[str]
    text: Mapped[str]
    occurred_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("visibility IN ('public', 'internal')", name="visibility"),
        UniqueConstraint("ticket", "sequence"),
    )


class FigureRow(Base):
    """What the rates know of a ticket from `since` until `until` (None: now), and its part in each
    rate; see figures.py. One row for now, and one for each time at which it was another.
    """

    __tablename__ = "figures"

    ticket: Mapped[str] = mapped_column(_Id, ForeignKey("tickets.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime | None]
    filed_at: Mapped[datetime]
    area: Mapped[str]
    area_path: Mapped[list[str]]
    community: Mapped[str]
    channel: Mapped[str]
    category: Mapped[str]
    state: Mapped[str]
    department: Mapped[str | None]
    accepted_at: Mapped[datetime | None]
    uncontacted: Mapped[bool]
    solved: Mapped[str | None]
    satisfied: Mapped[str | None]
    exclusions: Mapped[list[str]]
    solved_share: Mapped[str | None]
    response_rate: Mapped[str | None]
    resolution_rate: Mapped[str | None]
    satisfaction_rate: Mapped[str | None]

    __table_args__ = (
        Index("figures_now", "ticket", unique=True, postgresql_where=text("until IS NULL")),
        Index(None, "filed_at", "until"),
        Index(None, "community", "filed_at", "until"),
        Index(None, "department", "filed_at", "until"),
    )


# As Core sees them: hot writes and lists do without the ORM.
TICKETS = cast("Table", TicketRow.__table__)
HISTORY = cast("Table", HistoryRow.__table__)
FIGURES = cast("Table", FigureRow.__table__)
NUMBER_DAYS = cast("Table", NumberDay.__table__)
