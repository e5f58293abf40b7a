"""Requests with their history and comments, and what is kept of areas, departments and duties."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from chassis.migrate import create_inbox, create_outbox

revision = "0001"
down_revision = None

_MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create everything."""
    create_outbox()
    create_inbox()
    _create_numbers()
    _create_tickets()
    _create_indexes()
    _create_history()
    _create_comments()
    _create_projections()


def _create_numbers() -> None:
    # A sequence and not a counter row for each day: the row would stay locked until its transaction
    # has reached the disk, so that all filings would queue for it and no two could share a flush
    # (50 at once: 240 against 1,200 to 2,400 a second). The day's base makes numbers start near 1
    # every day.
    op.execute(sa.schema.CreateSequence(sa.Sequence("ticket_numbers")))
    op.create_table(
        "number_days",
        sa.Column("day", sa.Date, primary_key=True),
        _needed("base", sa.BigInteger),
    )


def _create_tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", pg.UUID, primary_key=True),
        sa.Column("number", sa.Text(collation="C"), nullable=False, unique=True),
        _needed("kind", sa.Text),
        sa.Column("command_id", sa.Text, unique=True),
        _needed("state", sa.Text),
        _needed("version", sa.Integer),
        _needed("sequence", sa.Integer),
        *_what_it_is(),
        *_who_has_it(),
        *_what_came_of_it(),
        _needed("search", pg.TSVECTOR),
        sa.CheckConstraint(
            "state IN ('filed', 'accepted', 'assigned', 'in_progress',"
            " 'resolved', 'closed', 'refused', 'withdrawn')",
            name="state",
        ),
        sa.CheckConstraint(
            "state NOT IN ('assigned', 'in_progress') OR num_nonnulls(department, assignee) > 0",
            name="holder",
        ),
        sa.CheckConstraint("visibility IN ('public', 'private')", name="visibility"),
        sa.CheckConstraint("num_nonnulls(latitude, longitude) <> 1", name="location"),
    )


def _what_it_is() -> list[sa.Column[Any]]:
    return [
        _needed("category", sa.Text),
        sa.Column("title", sa.Text),
        _needed("description", sa.Text),
        _needed("area", sa.Text),
        _needed("area_path", pg.ARRAY(sa.Text)),
        _needed("place", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        _needed("channel", sa.Text),
        _needed("visibility", sa.Text),
        _needed("priority", sa.Text),
        sa.Column("reporter", pg.UUID),
        sa.Column("on_behalf_of", pg.UUID),
        sa.Column("filed_by", sa.Text),
    ]


def _who_has_it() -> list[sa.Column[Any]]:
    return [
        sa.Column("department", sa.Text),
        sa.Column("assignee", pg.UUID),
        sa.Column("accepted_by", sa.Text),
        sa.Column("responsible", sa.Text),
        _needed("send_backs", sa.Integer),
        _needed("reopenings", sa.Integer),
    ]


def _what_came_of_it() -> list[sa.Column[Any]]:
    return [
        sa.Column("resolution", sa.Text),
        sa.Column("refusal", sa.Text),
        sa.Column("refer_to", sa.Text),
        sa.Column("solved", sa.Text),
        sa.Column("satisfied", sa.Text),
        sa.Column("contacted", sa.Text),
        _needed("filed_at", _MOMENT),
        _needed("recorded_at", _MOMENT),
        _needed("changed_at", _MOMENT),
        sa.Column("accepted_at", _MOMENT),
        sa.Column("assigned_at", _MOMENT),
        sa.Column("started_at", _MOMENT),
        sa.Column("resolved_at", _MOMENT),
        sa.Column("closed_at", _MOMENT),
        sa.Column("reopened_at", _MOMENT),
    ]


def _create_indexes() -> None:
    # The two orders that lists have. Every other list index ends in the first of them, so that a
    # page is read from one end of it and costs the same however many tickets lie behind.
    op.create_index("tickets_filed_at_id", "tickets", ["filed_at", "id"])
    op.create_index("tickets_changed_at_id", "tickets", ["changed_at", "id"])
    # The workbench asks by state, the statistics by category.
    op.create_index("tickets_state_filed_at_id", "tickets", ["state", "filed_at", "id"])
    op.create_index("tickets_category_filed_at_id", "tickets", ["category", "filed_at", "id"])
    # Somebody's own: a department's queue, my tasks, my requests, what I wrote down for others.
    # Null in many rows, hence partial.
    for column in ("department", "assignee", "reporter", "filed_by"):
        op.create_index(
            f"tickets_{column}_filed_at_id",
            "tickets",
            [column, "filed_at", "id"],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    # Who accepted has it until it is assigned; the few that wait there now.
    op.create_index(
        "tickets_accepted_by",
        "tickets",
        ["accepted_by"],
        postgresql_where=sa.text("state = 'accepted'"),
    )
    # A whole subtree of places: each ticket knows all the places it lies in. For a large area the
    # planner rather walks `filed_at` and skips the few from elsewhere; for a small one it sorts all
    # of that place's tickets, 2 ms for a thousand.
    op.create_index("tickets_area_path", "tickets", ["area_path"], postgresql_using="gin")
    # Pairs of letters (see texts.findable), because pg_trgm needs three and Chinese words have two.
    op.create_index("tickets_search", "tickets", ["search"], postgresql_using="gin")


def _create_history() -> None:
    op.create_table(
        "history",
        sa.Column("ticket", pg.UUID, sa.ForeignKey("tickets.id"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        _needed("move", sa.Text),
        _needed("event", sa.Text),
        sa.Column("from_state", sa.Text),
        _needed("to_state", sa.Text),
        _needed("version", sa.Integer),
        sa.Column("department", sa.Text),
        sa.Column("assignee", pg.UUID),
        sa.Column("actor", sa.Text),
        _needed("actor_kind", sa.Text),
        _needed("occurred_at", _MOMENT),
        _needed("recorded_at", _MOMENT),
        sa.Column("reason", sa.Text),
        _needed("details", pg.JSONB),
        sa.Column("command_id", sa.Text),
        sa.UniqueConstraint("ticket", "command_id", name="history_ticket_command_id_key"),
    )


def _create_comments() -> None:
    op.create_table(
        "comments",
        sa.Column("id", pg.UUID, primary_key=True),
        sa.Column("ticket", pg.UUID, sa.ForeignKey("tickets.id"), nullable=False),
        _needed("sequence", sa.Integer),
        sa.Column("author", sa.Text),
        _needed("author_kind", sa.Text),
        _needed("visibility", sa.Text),
        _needed("text", sa.Text),
        _needed("occurred_at", _MOMENT),
        sa.CheckConstraint("visibility IN ('public', 'internal')", name="visibility"),
        # Also what a ticket's comments are read by, in their order.
        sa.UniqueConstraint("ticket", "sequence", name="comments_ticket_sequence_key"),
    )


def _create_projections() -> None:
    op.create_table(
        "areas",
        sa.Column("code", sa.Text, primary_key=True),
        *_names(),
        _needed("level", sa.Text),
        _needed("path", pg.ARRAY(sa.Text)),
        _needed("routing", sa.Text),
        _needed("sequence", sa.BigInteger),
    )
    op.create_table(
        "departments",
        sa.Column("code", sa.Text, primary_key=True),
        *_names(),
        _needed("active", sa.Boolean),
        _needed("sequence", sa.BigInteger),
    )
    op.create_table(
        "duties",
        sa.Column("id", pg.UUID, primary_key=True),
        _needed("person", pg.UUID),
        _needed("role", sa.Text),
        sa.Column("area", sa.Text),
        sa.Column("department", sa.Text),
        _needed("starts", sa.Date),
        sa.Column("ends", sa.Date),
        _needed("sequence", sa.BigInteger),
    )
    # Whether somebody is on duty, and who is for a place.
    op.create_index("duties_person", "duties", ["person"])
    op.create_index(
        "duties_area_role",
        "duties",
        ["area", "role"],
        postgresql_where=sa.text("area IS NOT NULL"),
    )


def _names() -> list[sa.Column[Any]]:
    return [_needed("name", sa.Text), _needed("names", pg.JSONB)]


def _needed(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
