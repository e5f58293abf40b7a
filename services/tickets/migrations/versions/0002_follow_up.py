"""Whom to call about what is resolved, and until when they are waited for."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_RESOLVED = sa.text("state = 'resolved'")


def upgrade() -> None:
    """Add the count of calls and the end of waiting, and date what waits already."""
    # The default lets code that does not know the column yet go on filing.
    attempts = sa.Column("call_attempts", sa.Integer, nullable=False, server_default="0")
    op.add_column("tickets", attempts)
    op.add_column("tickets", sa.Column("answer_by", sa.TIMESTAMP(timezone=True)))
    op.execute(
        "UPDATE tickets SET answer_by = interval '7 days' + (SELECT max(greatest(occurred_at,"
        " recorded_at)) FROM history WHERE ticket = tickets.id AND move = 'resolution')"
        " WHERE state = 'resolved'"
    )
    # The call list, longest waiting first, and what the clock closes. What waits for an answer is
    # seven days' worth at most, so that both stay small however much has been resolved before, and
    # a community's own calls are found by walking the first of them.
    op.create_index(
        "tickets_resolved_at_id", "tickets", ["resolved_at", "id"], postgresql_where=_RESOLVED
    )
    op.create_index("tickets_answer_by", "tickets", ["answer_by"], postgresql_where=_RESOLVED)
