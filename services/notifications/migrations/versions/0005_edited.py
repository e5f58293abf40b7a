"""Templates that somebody edited, every version of each; one of them holds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table. What holds is found by the partial index, however often it was edited."""
    op.create_table(
        "edited",
        sa.Column("purpose", sa.Text(), primary_key=True),
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("locale", sa.Text(), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("parts", postgresql.JSONB()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text()),
        sa.Column("current", sa.Boolean(), nullable=False),
    )
    op.create_index(
        "edited_current",
        "edited",
        ["purpose", "channel", "locale"],
        unique=True,
        postgresql_where=sa.text("current"),
    )
