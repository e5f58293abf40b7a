"""When a person was erased."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column. No index: the erased are few, and are left out of lists as they are read."""
    op.add_column("residents", sa.Column("erased_at", TIMESTAMP(timezone=True)))
