"""What erasure left open before: stays of people who are erased end on the day before it, or on
their first day, and their care tags go.
"""

from alembic import op

revision = "0015"
down_revision = "0014"

MENDED = (
    """
    UPDATE household_members
    SET ends = greatest(starts, (erased_at AT TIME ZONE 'Asia/Shanghai')::date - 1)
    FROM residents
    WHERE residents.id = resident AND erased_at IS NOT NULL AND ends IS NULL
    """,
    "DELETE FROM care_tags USING residents WHERE residents.id = resident AND erased_at IS NOT NULL",
)


def upgrade() -> None:
    """Mend what is there."""
    for statement in MENDED:
        op.execute(statement)
