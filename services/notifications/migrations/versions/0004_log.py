"""The log of deliveries in the order of time, and what pruning looks for."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Each list of the log is one range of one of these indexes, read from its end and never
    sorted; ids alone will not do, for a digest's follows from its person. Pruning reads the same
    from the beginning.
    """
    op.create_index("delivery_by_time", "delivery", ["created_at", "id"])
    op.drop_index("delivery_by_state", "delivery")
    for column in ("state", "reason", "person"):
        op.create_index(f"delivery_by_{column}", "delivery", [column, "created_at", "id"])
    op.create_index("notification_of_ticket", "notification", ["ticket"])
    op.create_index("notification_by_time", "notification", ["created_at"])
    op.add_column("progress", _seen_at())
    op.create_index("ix_progress_seen_at", "progress", ["seen_at"])


def _seen_at() -> sa.Column[datetime]:
    moment = sa.DateTime(timezone=True)
    return sa.Column("seen_at", moment, nullable=False, server_default=sa.func.now())
