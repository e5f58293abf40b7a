"""An e-mail address, sealed like everything else of a person. Nobody is looked for by it, so it has
no index.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; old code leaves it empty."""
    op.add_column("residents", sa.Column("email", sa.LargeBinary))
