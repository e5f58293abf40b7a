"""Tickets are found by whom they were raised for, when that person is erased or asks about it."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """As `reporter` and `filed_by` have one: without it, erasing one person reads every ticket."""
    op.create_index(
        "tickets_on_behalf_of_filed_at_id",
        "tickets",
        ["on_behalf_of", "filed_at", "id"],
        postgresql_where="on_behalf_of IS NOT NULL",
    )
