"""Accounts, codes, sessions, API keys, idempotency keys, duties and the inbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.migrate import create_inbox

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    create_inbox()
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("login", sa.Text, nullable=False, unique=True),
        sa.Column("person", sa.Uuid, nullable=False, index=True),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("administrator", sa.Boolean, nullable=False),
        sa.Column("command_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("created_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("login_digest", sa.LargeBinary, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", _MOMENT),
        sa.Column("last_failed_at", _MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "sign_in_codes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("phone_digest", sa.LargeBinary, nullable=False, index=True),
        sa.Column("code_digest", sa.LargeBinary, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False, index=True),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_by", sa.Uuid),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("token_digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("person", sa.Uuid, nullable=False, index=True),
        sa.Column("account", sa.Uuid, sa.ForeignKey("accounts.id", ondelete="CASCADE")),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.Column("command_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("token_digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner_kind", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("command_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.CheckConstraint("owner_kind IN ('person', 'department')", "owner_kind"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.LargeBinary, primary_key=True),
        sa.Column("body_digest", sa.LargeBinary, nullable=False),
        sa.Column("lease", sa.Uuid, nullable=False),
        sa.Column("leased_until", _MOMENT, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("headers", JSONB),
        sa.Column("body", sa.LargeBinary),
        sa.Column("created_at", _MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "duties",
        sa.Column("duty", sa.Uuid, primary_key=True),
        sa.Column("person", sa.Uuid, nullable=False, index=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("area", sa.Text),
        sa.Column("department", sa.Text),
        sa.Column("starts", sa.Date, nullable=False),
        sa.Column("ends", sa.Date),
        sa.Column("sequence", sa.Integer, nullable=False),
    )
