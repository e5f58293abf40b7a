"""The audit: who did what with personal data, append-only.

Each list of it is newest first and a range of one index: all of it, an actor's, an action's, a
community's; a person's by `audit_people`. The time is part of each, because a list of a period long
past must not walk through all that came after.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from chassis.migrate import make_append_only

revision = "0003"
down_revision = "0002"

_MOMENT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make both tables, and let nobody change what is in them."""
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("api_key", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Uuid),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("fields", ARRAY(sa.Text), nullable=False),
        sa.Column("found_by", ARRAY(sa.Text), nullable=False),
        sa.Column("community", sa.Text(collation="C")),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="audit_pkey"),
    )
    op.create_index("audit_at_id", "audit", ["at", "id"])
    for column in ("actor", "action", "community"):
        op.create_index(f"audit_{column}_at_id", "audit", [column, "at", "id"])
    op.create_table(
        "audit_people",
        sa.Column("person", sa.Uuid, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("entry", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("person", "at", "entry", name="audit_people_pkey"),
        sa.ForeignKeyConstraint(["entry"], ["audit.id"], name="audit_people_entry_fkey"),
    )
    make_append_only("audit", "audit_people")
