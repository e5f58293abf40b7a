"""Phone numbers that were taken from somebody, by blind index: they sign nobody in for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the table. What is older than the while goes whenever a row comes, so it stays small
    and is found by its key alone.
    """
    op.create_table(
        "withdrawn_phones",
        sa.Column("phone_index", sa.LargeBinary, nullable=False),
        sa.Column("withdrawn_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("phone_index", name="withdrawn_phones_pkey"),
    )
