"""Numbers that somebody else changed, for as long as the one before is told and the new one waits.

A person has few at a time, found by `phone_changes_resident_changed_at`; what is over goes from its
beginning, by the index of its time. Who sees the person sees them, as with their key.
"""

import sqlalchemy as sa
from alembic import op

from chassis import walls

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "phone_changes",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("resident", sa.Uuid, nullable=False),
        sa.Column("phone", sa.LargeBinary, nullable=False),
        sa.Column("phone_index", sa.LargeBinary, nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="phone_changes_pkey"),
        sa.ForeignKeyConstraint(["resident"], ["residents.id"], name="phone_changes_resident_fkey"),
    )
    for columns in (["resident", "changed_at"], ["changed_at"]):
        op.create_index(f"phone_changes_{'_'.join(columns)}", "phone_changes", columns)
    known = "EXISTS (SELECT FROM residents WHERE residents.id = resident)"
    walls.put_up("phone_changes", known, known)
