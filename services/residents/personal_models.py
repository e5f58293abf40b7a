"""The tables by which the use of personal data is accounted for: consents, and the audit."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.residents.models import Base, TreeKey


class Consent(Base):
    """A person agreed that their data is used for a purpose, until they took it back. Rows stay."""

    __tablename__ = "consents"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person: Mapped[UUID] = mapped_column(ForeignKey("residents.id"))
    purpose: Mapped[str]
    given_at: Mapped[datetime]
    given_to: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_to: Mapped[str | None]
    command_id: Mapped[str | None] = mapped_column(unique=True)

    __table_args__ = (
        Index(None, "person", "id"),
        Index(
            "consents_in_force",
            *("person", "purpose"),
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index(
            "consents_withdrawn",
            "withdrawn_at",
            postgresql_where=text("withdrawn_at IS NOT NULL"),
        ),
        CheckConstraint("withdrawn_at >= given_at", name="order"),
    )


class AuditEntry(Base):
    """Who did what with personal data, or was refused it: names of fields and never a value. Only
    ever added to.

    `subject` is the one thing that it was about, of the kind `kind`; `community` is where it lies.
    """

    __tablename__ = "audit"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str | None]
    actor_kind: Mapped[str]
    api_key: Mapped[str | None]
    action: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[UUID | None]
    people: Mapped[int]
    fields: Mapped[list[str]]
    found_by: Mapped[list[str]]
    community: Mapped[str | None] = mapped_column(TreeKey)
    request_id: Mapped[str]
    outcome: Mapped[str]
    reason: Mapped[str | None]

    __table_args__ = (
        Index(None, "at", "id"),
        Index(None, "actor", "at", "id"),
        Index(None, "action", "at", "id"),
        Index(None, "community", "at", "id"),
    )


class AuditPerson(Base):
    """A person whom an entry of the audit is about: a page of a list is about as many as it has
    rows.
    """

    __tablename__ = "audit_people"

    person: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    entry: Mapped[UUID] = mapped_column(primary_key=True)

    __table_args__ = (Index(None, "at", postgresql_using="brin"),)
