"""The official areas: some 665,000 rows, loaded by an operator and read by everybody.

All three searches are ranges of a B-tree in the "C" collation, in the order of the answer: a code's
prefix of the primary key, an alias with the prefix of `under` of `official_areas_alias_code`, a
name's prefix of `official_areas_name_code`. Trigrams would find the middle of a name too, but have
no order, need an extension, and know nothing of two characters, which is what most names have.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_C = sa.Text(collation="C")


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "official_areas",
        sa.Column("code", _C, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("parent", sa.Text),
        sa.Column("name", _C, nullable=False),
        sa.Column("alias", _C, nullable=False),
        sa.PrimaryKeyConstraint("code", name="official_areas_pkey"),
    )
    op.create_index("official_areas_alias_code", "official_areas", ["alias", "code"])
    op.create_index("official_areas_name_code", "official_areas", ["name", "code"])
