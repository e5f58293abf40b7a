"""What the rates need to know of each ticket, now and before."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from chassis import walls

revision = "0005"
down_revision = "0004"

_MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the projection, empty: `./linli figures rebuild` fills it from history."""
    op.create_table(
        "figures",
        sa.Column("ticket", pg.UUID, sa.ForeignKey("tickets.id"), primary_key=True),
        sa.Column("since", _MOMENT, primary_key=True),
        sa.Column("until", _MOMENT),
        _needed("filed_at", _MOMENT),
        _needed("area", sa.Text),
        _needed("area_path", pg.ARRAY(sa.Text)),
        _needed("community", sa.Text),
        _needed("channel", sa.Text),
        _needed("category", sa.Text),
        _needed("state", sa.Text),
        sa.Column("department", sa.Text),
        sa.Column("accepted_at", _MOMENT),
        _needed("uncontacted", sa.Boolean),
        sa.Column("solved", sa.Text),
        sa.Column("satisfied", sa.Text),
        _needed("exclusions", pg.ARRAY(sa.Text)),
        sa.Column("solved_share", sa.Text),
        sa.Column("response_rate", sa.Text),
        sa.Column("resolution_rate", sa.Text),
        sa.Column("satisfaction_rate", sa.Text),
    )
    _create_indexes()
    # Seen like their tickets, by what moves those; and counted without a look at each of them.
    walls.put_up(
        "figures",
        "community = ANY (wall('communities')) OR department = ANY (wall('departments'))"
        " OR EXISTS (SELECT FROM tickets WHERE tickets.id = figures.ticket)",
    )


def _create_indexes() -> None:
    # The one that a move changes; and there are never two that are now.
    op.create_index(
        "figures_now", "figures", ["ticket"], unique=True, postgresql_where=sa.text("until IS NULL")
    )
    # Rates are asked of a period and an area, so that they cost what was filed there and then,
    # however much lies before. `until` at the end lets the index itself pass over what a ticket
    # was at other times.
    op.create_index("figures_filed_at_until", "figures", ["filed_at", "until"])
    op.create_index(
        "figures_community_filed_at_until", "figures", ["community", "filed_at", "until"]
    )
    op.create_index(
        "figures_department_filed_at_until", "figures", ["department", "filed_at", "until"]
    )


def _needed(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
