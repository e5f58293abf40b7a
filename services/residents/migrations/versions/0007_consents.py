"""Consents: to what, from when to when."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0007"
down_revision = "0006"

_MOMENT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the table. A person's list is a range of `person, id`; that nothing is consented to
    twice at a time is a unique index over what is in force, which two at once cannot pass.
    """
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person", sa.Uuid, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("given_at", _MOMENT, nullable=False),
        sa.Column("given_to", sa.Text),
        sa.Column("withdrawn_at", _MOMENT),
        sa.Column("withdrawn_to", sa.Text),
        sa.Column("command_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name="consents_pkey"),
        sa.ForeignKeyConstraint(["person"], ["residents.id"], name="consents_person_fkey"),
        sa.UniqueConstraint("command_id", name="consents_command_id_key"),
        sa.CheckConstraint("withdrawn_at >= given_at", name=op.f("consents_order_check")),
    )
    op.create_index("consents_person_id", "consents", ["person", "id"])
    op.create_index(
        "consents_in_force",
        "consents",
        ["person", "purpose"],
        unique=True,
        postgresql_where="withdrawn_at IS NULL",
    )
