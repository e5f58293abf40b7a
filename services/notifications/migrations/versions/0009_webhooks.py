"""Webhooks: endpoints, secrets, events, deliveries and attempts; who works for a department."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables; the sender finds what is queued, and nothing else, by partial indexes."""
    for make in (_endpoints, _secrets, _events, _deliveries, _attempts, _clerks):
        make()


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("command", sa.Uuid(), nullable=False),
        sa.Column("department", sa.Text()),
        sa.Column("created_by", sa.Uuid()),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("types", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("area", sa.Text()),
        sa.Column("ordered", sa.Boolean(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("handshake", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", _MOMENT),
        sa.Column("probe_at", _MOMENT),
        sa.Column("ready_at", _MOMENT, nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("tokens_at", _MOMENT, nullable=False),
        sa.Column("served_at", _MOMENT, nullable=False),
        sa.Column("allowed_rate", sa.Integer()),
        sa.Column("handshake_at", _MOMENT),
        sa.Column("handshakes", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("deleted_at", _MOMENT),
        sa.CheckConstraint(
            "state IN ('pending', 'active', 'disabled')", name="webhook_endpoint_state"
        ),
        sa.CheckConstraint("rate > 0", name="webhook_endpoint_rate"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("command"),
    )
    op.create_index("ix_webhook_endpoint_created_by", "webhook_endpoint", ["created_by"])
    op.create_index(
        "webhook_deleted",
        "webhook_endpoint",
        ["deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index("webhook_endpoint_of", "webhook_endpoint", ["department", "id"])
    op.create_index(
        "webhook_handshake_due",
        "webhook_endpoint",
        ["handshake_at"],
        postgresql_where=sa.text("handshake_at IS NOT NULL"),
    )


def _secrets() -> None:
    op.create_table(
        "webhook_secret",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint", sa.Uuid(), nullable=False),
        sa.Column("command", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT),
        sa.ForeignKeyConstraint(["endpoint"], ["webhook_endpoint.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("endpoint", "command", name="webhook_secret_command"),
    )
    op.create_index("ix_webhook_secret_endpoint", "webhook_secret", ["endpoint"])


def _events() -> None:
    op.create_table(
        "webhook_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_webhook_event_created_at", "webhook_event", ["created_at"])


def _deliveries() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("next_attempt_at", _MOMENT),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("claimed_at", _MOMENT),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("settled_at", _MOMENT),
        sa.CheckConstraint(
            "(state = 'queued') = (next_attempt_at IS NOT NULL)", name="webhook_due_while_queued"
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'delivered', 'failed', 'skipped')", name="webhook_delivery_state"
        ),
        sa.ForeignKeyConstraint(["endpoint"], ["webhook_endpoint.id"]),
        sa.ForeignKeyConstraint(["event"], ["webhook_event.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("event", "endpoint", name="webhook_delivery_once"),
    )
    op.create_index(
        "webhook_by_state", "webhook_delivery", ["endpoint", "state", "created_at", "id"]
    )
    op.create_index("webhook_by_time", "webhook_delivery", ["endpoint", "created_at", "id"])
    op.create_index("webhook_by_type", "webhook_delivery", ["endpoint", "type", "created_at", "id"])
    op.create_index(
        "webhook_due",
        "webhook_delivery",
        ["endpoint", "next_attempt_at"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "webhook_in_hand",
        "webhook_delivery",
        ["endpoint"],
        postgresql_where=sa.text("claimed_at IS NOT NULL"),
    )
    op.create_index(
        "webhook_order",
        "webhook_delivery",
        ["endpoint", "subject", "sequence"],
        postgresql_where=sa.text("state = 'queued'"),
    )


def _attempts() -> None:
    op.create_table(
        "webhook_attempt",
        sa.Column("delivery", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("request", JSONB(), nullable=False),
        sa.Column("status", sa.SmallInteger()),
        sa.Column("response", JSONB(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", _MOMENT),
        sa.ForeignKeyConstraint(["delivery"], ["webhook_delivery.id"]),
        sa.PrimaryKeyConstraint("delivery", "number"),
    )


def _clerks() -> None:
    op.create_table(
        "clerk",
        sa.Column("duty", sa.Uuid(), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date()),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("duty"),
    )
    op.create_index("ix_clerk_department", "clerk", ["department"])
    op.create_index("ix_clerk_person", "clerk", ["person"])
