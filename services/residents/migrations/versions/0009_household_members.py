"""Who lives in which household, and who did.

Three rules hold among stays, whoever writes at the same time: nobody is in one household twice on a
day, a household has one head, and a person one registered residence. Two stays conflict when their
days overlap, which no unique index can say; exclusion constraints can, with the operators of
btree_gist for the ids. It is part of PostgreSQL's contrib and trusted: the database's owner may
create it.

Lists of who is there today are ranges of partial indexes, which do not grow with the past; those of
the past have their own. They begin with the first day: in the order of ids alone the planner would
walk the whole table by its primary key for a household of many. Who was there on a
day is found by the constraints' own indexes, which know the days.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table with its rules."""
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "household_members",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("household", sa.Uuid, nullable=False),
        sa.Column("resident", sa.Uuid, nullable=False),
        sa.Column("relation", sa.Text, nullable=False),
        sa.Column("registered", sa.Boolean, nullable=False),
        sa.Column("starts", sa.Date, nullable=False),
        sa.Column("ends", sa.Date),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("command_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name="household_members_pkey"),
        sa.ForeignKeyConstraint(
            ["household"], ["households.id"], name="household_members_household_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["resident"], ["residents.id"], name="household_members_resident_fkey"
        ),
        sa.UniqueConstraint("command_id", name="household_members_command_id_key"),
        sa.CheckConstraint("ends >= starts", name=op.f("household_members_days_check")),
    )
    for name, equal, where in (
        ("once", "household WITH =, resident WITH =", ""),
        ("one_head", "household WITH =", "WHERE (relation = 'head')"),
        ("one_residence", "resident WITH =", "WHERE (registered)"),
    ):
        op.execute(
            f"ALTER TABLE household_members ADD CONSTRAINT household_members_{name} EXCLUDE "
            f"USING gist ({equal}, daterange(starts, ends, '[]') WITH &&) {where}"
        )
    for name, column, where in (
        ("present", "household", "ends IS NULL"),
        ("past", "household", "ends IS NOT NULL"),
        ("homes", "resident", "ends IS NULL"),
        ("former_homes", "resident", "ends IS NOT NULL"),
    ):
        op.create_index(
            f"household_members_{name}",
            "household_members",
            [column, "starts", "id"],
            postgresql_where=sa.text(where),
        )
