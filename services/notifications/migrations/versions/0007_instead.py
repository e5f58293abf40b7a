"""A message that failed for good by one channel goes by the next, once."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Let what has failed be followed by one message instead. Code that knows nothing of it makes
    and leaves one message of each item, as before.
    """
    op.add_column("delivery", sa.Column("instead_of", sa.Uuid()))
    op.create_unique_constraint("delivery_instead_once", "delivery", ["instead_of"])
    op.drop_constraint("delivery_once", "delivery")
    op.create_index(
        "delivery_once",
        "delivery",
        ["notification"],
        unique=True,
        postgresql_where=sa.text("state <> 'failed'"),
    )
    op.create_index("delivery_of_notification", "delivery", ["notification"])
