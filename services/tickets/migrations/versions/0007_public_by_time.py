"""How the newest public tickets are found, however few there are."""

import sqlalchemy as sa

from chassis import migrate

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add their index."""
    migrate.add_index(
        "tickets_public_filed_at_id",
        "tickets",
        ["filed_at", "id"],
        postgresql_where=sa.text("visibility = 'public'"),
    )
