"""The tables of imports: what is asked for and how far it has come, the file while it is needed,
and what was found at fault.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.residents.models import Base

UNFINISHED = text("finished_at IS NULL")


class Import(Base):
    """One file to work through, and the counts of what came of it.

    `call` is in whose name (`chassis.call.encode`). The key that the file is sealed with goes when
    the file does. `claim` numbers those who took it on, `claimed_until` is how long the last one
    has it.
    """

    __tablename__ = "imports"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    dry_run: Mapped[bool]
    owner: Mapped[str]
    call: Mapped[str]
    command_id: Mapped[str | None] = mapped_column(unique=True)
    parts: Mapped[int]
    key_id: Mapped[str | None]
    wrapped: Mapped[bytes | None]
    rows: Mapped[int | None]
    done: Mapped[int]
    added: Mapped[int]
    changed: Mapped[int]
    unchanged: Mapped[int]
    failed: Mapped[int]
    claim: Mapped[int]
    claimed_until: Mapped[datetime]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        Index("imports_unfinished", "id", postgresql_where=UNFINISHED),
        Index(None, "owner", "kind", "id"),
    )


class ImportPart(Base):
    """A piece of a file, sealed under the key of its import."""

    __tablename__ = "import_parts"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]


class ImportFault(Base):
    """Something wrong in a row (0: in the file). `field` is its column, empty for the whole row."""

    __tablename__ = "import_faults"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
