"""The inbox of people, deliveries with their attempts, and what is kept of others' events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.migrate import create_inbox

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    create_inbox()
    _create_notification()
    _create_delivery()
    _create_attempt()
    op.create_table(
        "progress",
        sa.Column("ticket", sa.Uuid(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "department",
        sa.Column("code", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("names", postgresql.JSONB(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
    )


def _create_notification() -> None:
    op.create_table(
        "notification",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("variables", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("event", "person", "purpose", name="notification_told_once"),
    )
    order = ["person", "at", "sequence", "id"]
    op.create_index("notification_inbox", "notification", order)
    op.create_index(
        "notification_unread", "notification", order, postgresql_where=sa.text("read_at IS NULL")
    )


def _create_delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("notification", sa.Uuid(), sa.ForeignKey("notification.id")),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True)),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True)),
        sa.Column("provider_failures", sa.Integer(), nullable=False),
        sa.Column("waits", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("provider_reference", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("notification", "channel", name="delivery_once_per_channel"),
        sa.CheckConstraint(
            "state IN ('queued', 'delivered', 'failed', 'skipped')", name="delivery_state"
        ),
        sa.CheckConstraint(
            "(state = 'queued') = (next_attempt_at IS NOT NULL)", name="delivery_due_while_queued"
        ),
    )
    op.create_index(
        "delivery_due",
        "delivery",
        ["next_attempt_at"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index("delivery_by_state", "delivery", ["state", "id"])


def _create_attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("delivery", sa.Uuid(), sa.ForeignKey("delivery.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger()),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True)),
    )
