"""What people prefer, and digests of what is not urgent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add preferences, and let a delivery wait for a digest or be one.

    The partial indexes hold what waits, not what was: looking for due digests, for what they are
    to tell and for what one told reads those rows alone, however long the history.
    """
    op.create_table(
        "preference",
        sa.Column("person", sa.Uuid(), primary_key=True),
        sa.Column("choices", postgresql.JSONB(), nullable=False),
        sa.Column("quiet_from", sa.Time()),
        sa.Column("quiet_to", sa.Time()),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("next_digest_at", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    _partial("preference_digest_due", "preference", "next_digest_at", "next_digest_at IS NOT NULL")
    op.add_column("delivery", sa.Column("person", sa.Uuid()))
    op.add_column("delivery", sa.Column("digest", sa.Uuid()))
    op.add_column(
        "delivery", sa.Column("urgent", sa.Boolean(), nullable=False, server_default="false")
    )
    op.execute(
        "UPDATE delivery SET person = notification.person FROM notification"
        " WHERE notification.id = delivery.notification"
    )
    op.drop_constraint("delivery_state", "delivery")
    op.create_check_constraint(
        "delivery_state",
        "delivery",
        "state IN ('queued', 'collected', 'delivered', 'failed', 'skipped')",
    )
    _partial("delivery_collected", "delivery", "person", "state = 'collected'")
    _partial("delivery_in_digest", "delivery", "digest", "digest IS NOT NULL")


def _partial(name: str, table: str, column: str, where: str) -> None:
    op.create_index(name, table, [column], postgresql_where=sa.text(where))
