"""What Open311 has of a ticket besides, and how its readers find what is public."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add answers and pictures, and the indexes of what anybody may ask for."""
    answers = sa.Column("attributes", pg.JSONB, nullable=False, server_default=sa.text("'{}'"))
    op.add_column("tickets", answers)
    op.add_column("tickets", sa.Column("media_url", sa.Text))
    # Anybody asks what happened of late, in the order in which it was written down: whoever asks
    # every hour misses nothing, however late somebody wrote it.
    op.create_index(
        "history_recorded_at_ticket_sequence", "history", ["recorded_at", "ticket", "sequence"]
    )
    # Where there is one community, what says no place is filed there.
    op.create_index(
        "areas_communities", "areas", ["code"], postgresql_where=sa.text("level = 'community'")
    )
