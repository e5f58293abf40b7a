"""Deliveries name the span of what caused them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Those that there are belong to no trace."""
    op.add_column("delivery", sa.Column("traceparent", sa.Text()))
    op.add_column("webhook_delivery", sa.Column("traceparent", sa.Text()))
