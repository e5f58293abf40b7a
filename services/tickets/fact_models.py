"""The tables of what tickets keeps of other services' facts."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from services.tickets.models import Base

_Id = UUID(as_uuid=False)


class AreaRow(Base):
    """A place, as its newest event tells."""

    __tablename__ = "areas"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    names: Mapped[dict[str, Any]]
    level: Mapped[str]
    path: Mapped[list[str]]
    routing: Mapped[str]
    sequence: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        Index("areas_communities", "code", postgresql_where=text("level = 'community'")),
    )


class DepartmentRow(Base):
    """A department, as its newest event tells."""

    __tablename__ = "departments"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    names: Mapped[dict[str, Any]]
    active: Mapped[bool]
    sequence: Mapped[int] = mapped_column(BigInteger)


class DutyRow(Base):
    """A person's duty from the day `starts` to the day `ends` (None: open), both included, as its
    newest event tells.

    One that is over is kept: an older event that comes late must find it.
    """

    __tablename__ = "duties"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    person: Mapped[str] = mapped_column(_Id)
    role: Mapped[str]
    area: Mapped[str | None]
    department: Mapped[str | None]
    starts: Mapped[date]
    ends: Mapped[date | None]
    sequence: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        Index(None, "person"),
        Index(None, "area", "role", postgresql_where=text("area IS NOT NULL")),
    )
