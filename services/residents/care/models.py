"""The table of care tags."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.residents.models import Made


class CareTag(Made):
    """Why somebody needs attention, from the first day to the last (None: today), both included;
    the note is sealed under the person's key. By whom it was given and ended stands here.
    """

    __tablename__ = "care_tags"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    resident: Mapped[UUID] = mapped_column(ForeignKey("residents.id"))
    tag: Mapped[str]
    note: Mapped[bytes | None]
    starts: Mapped[date]
    ends: Mapped[date | None]
    given_by: Mapped[str | None]
    ended_by: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("ends >= starts", name="days"),
        Index(None, "resident", "id"),
        Index(
            "care_tags_open",
            *("resident", "tag"),
            unique=True,
            postgresql_where=text("ends IS NULL"),
        ),
    )
