"""Anchor households: who has that duty, in an index of its own. It is asked of each household of a
list, where all the other duties would only be in the way.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "duties_anchors",
        "duties",
        ["person"],
        postgresql_where=sa.text("role = 'anchor_household'"),
    )
