"""Group robots: an endpoint has a format, and what a robot is spoken to with is sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Those that there are go on as they were."""
    op.add_column(
        "webhook_endpoint",
        sa.Column("format", sa.Text(), nullable=False, server_default="standard"),
    )
    op.alter_column("webhook_endpoint", "format", server_default=None)
    op.add_column("webhook_endpoint", sa.Column("robot", sa.LargeBinary()))
    op.create_check_constraint(
        "webhook_endpoint_robot_sealed",
        "webhook_endpoint",
        "(format = 'standard') = (robot IS NULL)",
    )
