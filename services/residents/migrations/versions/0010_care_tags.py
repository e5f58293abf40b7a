"""Care tags.

One person has one open tag of a kind, and `care_tags_open` says so. The list of an area walks its
people in their own order (`residents_tree_key_id`) and looks each up there: it is as long as the
area has people, whatever other places have and whatever has ended. A person's own are a range of
`care_tags_resident_id`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "care_tags",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("resident", sa.Uuid, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("note", sa.LargeBinary),
        sa.Column("starts", sa.Date, nullable=False),
        sa.Column("ends", sa.Date),
        sa.Column("given_by", sa.Text),
        sa.Column("ended_by", sa.Text),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("command_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name="care_tags_pkey"),
        sa.ForeignKeyConstraint(["resident"], ["residents.id"], name="care_tags_resident_fkey"),
        sa.UniqueConstraint("command_id", name="care_tags_command_id_key"),
        sa.CheckConstraint("ends >= starts", name=op.f("care_tags_days_check")),
    )
    op.create_index("care_tags_resident_id", "care_tags", ["resident", "id"])
    op.create_index(
        "care_tags_open",
        "care_tags",
        ["resident", "tag"],
        unique=True,
        postgresql_where=sa.text("ends IS NULL"),
    )
