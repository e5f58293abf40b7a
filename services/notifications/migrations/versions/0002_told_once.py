"""One event tells a person once, by one message, however many rows and channels match."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# The later of two items that one event made for one person.
_TWICE = """
    CREATE TEMPORARY TABLE twice ON COMMIT DROP AS
    SELECT DISTINCT later.id FROM notification later
    JOIN notification first USING (event, person) WHERE first.id < later.id
"""
_FORGET = (
    "DELETE FROM attempt USING delivery WHERE attempt.delivery = delivery.id"
    " AND delivery.notification IN (SELECT id FROM twice)",
    "DELETE FROM delivery WHERE notification IN (SELECT id FROM twice)",
    "DELETE FROM notification WHERE id IN (SELECT id FROM twice)",
)


def upgrade() -> None:
    """Drop what the new constraints forbid, and let a delivery name the channels it may take. Code
    that knows only one channel leaves them empty.
    """
    for statement in (_TWICE, *_FORGET):
        op.execute(statement)
    op.drop_constraint("notification_told_once", "notification")
    op.create_unique_constraint("notification_told_once", "notification", ["event", "person"])
    op.drop_constraint("delivery_once_per_channel", "delivery")
    op.create_unique_constraint("delivery_once", "delivery", ["notification"])
    op.add_column("delivery", _channels())


def _channels() -> sa.Column[list[str]]:
    return sa.Column("channels", sa.ARRAY(sa.Text()), nullable=False, server_default="{}")
