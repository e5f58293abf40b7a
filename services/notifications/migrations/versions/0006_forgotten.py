"""Who was erased, so that news of their tickets that comes late is told to nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the table; its rows go from its beginning, by the index."""
    op.create_table(
        "forgotten",
        sa.Column("person", sa.Uuid(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_forgotten_at", "forgotten", ["at"])
