"""Households: the people and the dwelling at one door."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0004"
down_revision = "0003"

_MOMENT = TIMESTAMP(timezone=True)
_OPEN, _CLOSED = sa.text("ends IS NULL"), sa.text("ends IS NOT NULL")


def upgrade() -> None:
    """Make the table and what it is listed by.

    `households_open` holds what is there today and nothing of the past. A page of a subtree is one
    range of it, already in order, and how many dwellings of a place have been recorded is counted
    from it alone. The closed ones have an index of their own.
    """
    op.create_table(
        "households",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("tree_key", sa.Text(collation="C"), nullable=False),
        sa.Column("grid", sa.Text),
        sa.Column("building", sa.Text),
        sa.Column("door", sa.LargeBinary, nullable=False),
        sa.Column("door_index", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("tenure", sa.Text, nullable=False),
        sa.Column("starts", sa.Date, nullable=False),
        sa.Column("ends", sa.Date),
        sa.Column("recorded_at", _MOMENT),
        sa.Column("registered_at", _MOMENT, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("command_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name="households_pkey"),
        *(
            sa.ForeignKeyConstraint([column], ["areas.code"], name=f"households_{column}_fkey")
            for column in ("area", "grid", "building")
        ),
        sa.UniqueConstraint("command_id", name="households_command_id_key"),
        sa.CheckConstraint("ends >= starts", name=op.f("households_days_check")),
    )
    op.create_index(
        "households_door", "households", ["door_index"], unique=True, postgresql_where=_OPEN
    )
    op.create_index(
        "households_open",
        "households",
        ["tree_key", "id"],
        postgresql_include=["recorded_at"],
        postgresql_where=_OPEN,
    )
    op.create_index("households_closed", "households", ["tree_key", "id"], postgresql_where=_CLOSED)
    for column in ("area", "key_id"):
        op.create_index(f"households_{column}", "households", [column])
