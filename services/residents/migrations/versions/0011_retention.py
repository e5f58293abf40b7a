"""What is needed to keep nothing for too long: when somebody was last heard of, and a way for the
oldest entries of the audit to go.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0011"
down_revision = "0010"

# At most an hour's worth a call, oldest first, and nothing younger than three years, whatever the
# application asks for: it may not delete.
_FORGET = """
CREATE FUNCTION audit_forget(asked timestamptz) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    upto timestamptz;
    gone integer;
BEGIN
    SELECT least(asked, now() - interval '1095 days', min(at) + interval '1 hour') INTO upto
        FROM audit;
    PERFORM set_config('linli.forgetting', 'yes', true);
    DELETE FROM audit_people WHERE at < upto;
    DELETE FROM audit WHERE at < upto;
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('linli.forgetting', '', true);
    RETURN gone;
END $$
"""


def upgrade() -> None:
    """Add the column, the indexes by which what is over is found, and the function.

    The foreign key of `audit_people` would look through all of it for each entry that goes; both
    rows are always written together. Rows come in the order of their time, so a BRIN index, which
    costs next to nothing, finds the oldest.
    """
    op.add_column("residents", sa.Column("used_at", TIMESTAMP(timezone=True)))
    op.execute("UPDATE residents SET used_at = now()")
    op.alter_column("residents", "used_at", nullable=False)
    op.create_index(
        "residents_unused",
        "residents",
        ["used_at"],
        postgresql_where="command_id IS NULL AND erased_at IS NULL",
    )
    op.create_index(
        "consents_withdrawn",
        "consents",
        ["withdrawn_at"],
        postgresql_where="withdrawn_at IS NOT NULL",
    )
    op.drop_constraint("audit_people_entry_fkey", "audit_people")
    op.create_index("audit_people_at", "audit_people", ["at"], postgresql_using="brin")
    op.execute(_FORGET)
