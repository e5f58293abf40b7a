"""The tables of residents: places, departments, people with their keys, households and duties.

Every row that a command makes keeps its `command_id` for ever, so that a repeated command finds
what the first one made. `sequence` counts the events of a row.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis import tables

# In the "C" collation one B-tree serves prefixes (LIKE 'x%') and the order of the tree alike; with
# text_pattern_ops it would serve the prefixes only, and every list would sort.
TreeKey = Text(collation="C")


# The relation to the household's head of the head.
HEAD = "head"


class Base(DeclarativeBase):
    """Everything that the migrations make, but for the chassis' own tables."""

    metadata = tables.metadata()
    type_annotation_map = {
        str: Text,
        bytes: LargeBinary,
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class Made(Base):
    """A row that a command made, and about which events tell."""

    __abstract__ = True

    sequence: Mapped[int]
    command_id: Mapped[str | None] = mapped_column(unique=True)


class Area(Made):
    """A place. Its code never changes, so neither do the columns that follow from it: level,
    parent, tree_key.
    """

    __tablename__ = "areas"

    code: Mapped[str] = mapped_column(primary_key=True)
    tree_key: Mapped[str] = mapped_column(TreeKey, unique=True)
    level: Mapped[str]
    parent: Mapped[str | None] = mapped_column(ForeignKey("areas.code"))
    name: Mapped[str]
    names: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]

    __table_args__ = (Index(None, "parent", "tree_key"),)


class Department(Made):
    """A city department or partner organisation."""

    __tablename__ = "departments"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    names: Mapped[dict[str, Any]]
    active: Mapped[bool]
    created_at: Mapped[datetime]


class Resident(Made):
    """A person. What is personal is sealed (see vault.py); the `…_index` columns are keyed blind
    indexes.

    `tree_key` is that of the area, or empty; it stands here so that people are listed by place from
    one index.
    """

    __tablename__ = "residents"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area: Mapped[str | None] = mapped_column(ForeignKey("areas.code"))
    tree_key: Mapped[str] = mapped_column(TreeKey)
    name: Mapped[bytes | None]
    phone: Mapped[bytes | None]
    id_number: Mapped[bytes | None]
    email: Mapped[bytes | None]
    address: Mapped[bytes | None]
    name_index: Mapped[bytes | None] = mapped_column(index=True)
    phone_index: Mapped[bytes | None] = mapped_column(unique=True)
    id_number_index: Mapped[bytes | None] = mapped_column(unique=True)
    locale: Mapped[str]
    registered_at: Mapped[datetime]
    # To the day: when they last signed in, or were named by their phone.
    used_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "residents_unused",
            "used_at",
            postgresql_where=text("command_id IS NULL AND erased_at IS NULL"),
        ),
        Index(None, "tree_key", "id"),
        Index(None, "area"),
    )


class ResidentKey(Base):
    """A person's data key, wrapped. Without this row nothing sealed of that person can be read
    again, in any copy.
    """

    __tablename__ = "resident_keys"

    resident: Mapped[UUID] = mapped_column(ForeignKey("residents.id"), primary_key=True)
    key_id: Mapped[str] = mapped_column(index=True)
    wrapped: Mapped[bytes]


class Household(Made):
    """The people and the dwelling at one door; until somebody was recorded in it, `recorded_at` is
    empty. The door is sealed under a key of the household's own, `wrapped`.

    `grid` and `building` follow from the area (see placement.py), and `tree_key` does.
    """

    __tablename__ = "households"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(ForeignKey("areas.code"), index=True)
    tree_key: Mapped[str] = mapped_column(TreeKey)
    grid: Mapped[str | None] = mapped_column(ForeignKey("areas.code"))
    building: Mapped[str | None] = mapped_column(ForeignKey("areas.code"))
    door: Mapped[bytes]
    door_index: Mapped[bytes]
    key_id: Mapped[str] = mapped_column(index=True)
    wrapped: Mapped[bytes]
    tenure: Mapped[str]
    starts: Mapped[date]
    ends: Mapped[date | None]
    recorded_at: Mapped[datetime | None]
    registered_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("ends >= starts", name="days"),
        Index("households_door", "door_index", unique=True, postgresql_where=text("ends IS NULL")),
        Index(
            "households_open",
            *("tree_key", "id"),
            postgresql_include=["recorded_at"],
            postgresql_where=text("ends IS NULL"),
        ),
        Index(
            "households_closed",
            *("tree_key", "id"),
            postgresql_where=text("ends IS NOT NULL"),
        ),
    )


class Member(Made):
    """Somebody's stay in a household, from the first day to the last (None: they live there), both
    included; `registered`: it is their registered residence (户籍), of which they have one at once.

    The rules that hold among stays are constraints of the table: see its migration.
    """

    __tablename__ = "household_members"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    household: Mapped[UUID] = mapped_column(ForeignKey("households.id"))
    resident: Mapped[UUID] = mapped_column(ForeignKey("residents.id"))
    relation: Mapped[str]
    registered: Mapped[bool]
    starts: Mapped[date]
    ends: Mapped[date | None]

    __table_args__ = (
        CheckConstraint("ends >= starts", name="days"),
        *(
            Index(f"household_members_{name}", column, "starts", "id", postgresql_where=text(where))
            for name, column, where in (
                ("present", "household", "ends IS NULL"),
                ("past", "household", "ends IS NOT NULL"),
                ("homes", "resident", "ends IS NULL"),
                ("former_homes", "resident", "ends IS NOT NULL"),
            )
        ),
    )


class Duty(Made):
    """A person's role in an area or department, from the first day to the last (None: open), both
    included.
    """

    __tablename__ = "duties"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person: Mapped[UUID] = mapped_column(ForeignKey("residents.id"), index=True)
    role: Mapped[str]
    area: Mapped[str | None] = mapped_column(ForeignKey("areas.code"), index=True)
    tree_key: Mapped[str] = mapped_column(TreeKey)
    department: Mapped[str | None] = mapped_column(ForeignKey("departments.code"), index=True)
    starts: Mapped[date]
    ends: Mapped[date | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("ends >= starts - 1", name="days"),
        Index("duties_anchors", "person", postgresql_where=text("role = 'anchor_household'")),
        Index(None, "tree_key"),
    )
