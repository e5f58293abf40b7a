"""The event feed, partitioned by day."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# The application owns nothing, so it cannot make or drop a partition; these do it as the owner.
_PREPARE = """
CREATE FUNCTION feed_prepare(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text := 'feed_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass(name) IS NULL THEN
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF feed FOR VALUES FROM (%L) TO (%L)', name, day, day + 1
        );
    END IF;
END $$
"""
_FORGET = """
CREATE FUNCTION feed_forget(before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text;
    dropped integer := 0;
BEGIN
    FOR name IN
        SELECT child.relname FROM pg_inherits
        JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = 'feed'::regclass
        AND child.relname < 'feed_' || to_char(before, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %I', name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$
"""


def upgrade() -> None:
    """Create the feed, its state, and the two functions that make and drop its partitions."""
    op.create_table(
        "feed",
        sa.Column("epoch", sa.BigInteger, primary_key=True),
        sa.Column("log_offset", sa.BigInteger, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("departments", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("owners", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("holders", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("public", sa.Boolean, nullable=False),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index("ix_feed_area", "feed", ["area"], postgresql_ops={"area": "text_pattern_ops"})
    op.create_index("ix_feed_departments", "feed", ["departments"], postgresql_using="gin")
    op.create_index("ix_feed_owners", "feed", ["owners"], postgresql_using="gin")
    op.create_index("ix_feed_subject", "feed", ["subject"])
    op.create_table(
        "feed_state",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("log_offset", sa.BigInteger),
        sa.Column("digest", sa.Text),
        sa.CheckConstraint("id = 1", name="ck_feed_state_single"),
    )
    op.execute(_PREPARE)
    op.execute(_FORGET)
