"""The wall (docs/adr/0021): a ticket shows only to transactions that were told of its community or
department, of a person it concerns, or that are the very command that made or moved it; history and
comments go by their ticket.
"""

import sqlalchemy as sa
from alembic import op

from chassis import walls

revision = "0003"
down_revision = "0002"

# A command still sees what it has just moved out of its caller's reach, and so does its repetition:
# a department's clerk who sends a ticket back has it no longer.
_STEPPED = """
CREATE FUNCTION stepped(of uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM history WHERE ticket = of
        AND command_id = current_setting('linli.command', true));
END $$
"""
_TICKETS = """
    community = ANY (wall('communities'))
    OR department = ANY (wall('departments'))
    OR filed_by = ANY (wall('actor'))
    OR accepted_by = ANY (wall('actor'))
    OR reporter = ANY (wall_ids('person'))
    OR assignee = ANY (wall_ids('person'))
    OR (visibility = 'public' AND 'yes' = ANY (wall('public')))
    OR command_id = ANY (wall('command'))
    OR (cardinality(wall('command')) > 0 AND stepped(id))
"""


def upgrade() -> None:
    """Add the community of each ticket, and put the wall up."""
    # In the "C" collation a place and all in it are one range of their codes. Below a wall the
    # arrays of places cannot be searched by their own index, for `@>` is not leakproof; comparing
    # texts is.
    op.execute('ALTER TABLE tickets ALTER area TYPE text COLLATE "C"')
    op.create_index("tickets_area", "tickets", ["area"])
    community = sa.Column("community", sa.Text, sa.Computed("left(area, 12)", persisted=True))
    op.add_column("tickets", community)
    # A whole community's list is read from one end of its own index.
    op.create_index("tickets_community_filed_at_id", "tickets", ["community", "filed_at", "id"])
    walls.create_functions()
    op.execute(_STEPPED)
    walls.put_up("tickets", _TICKETS)
    for table in ("history", "comments"):
        # The owner's wall around tickets holds inside of it.
        walls.put_up(table, f"EXISTS (SELECT FROM tickets WHERE tickets.id = {table}.ticket)")
