"""Inbox items that are of no ticket, such as that of a changed phone number."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Let an item name no ticket."""
    op.alter_column("notification", "ticket", nullable=True)
