"""Imports: jobs, their files while they are needed, and what was found at fault.

`imports_unfinished` is what the importer looks for work in: as short as the queue of jobs, however
many there have been. `imports_owner_kind_id` is a list of one's own, newest first. Faults are read
by row, from their primary key. Finished imports stay, one row each; their faults go after a month.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0005"
down_revision = "0004"

_MOMENT = TIMESTAMP(timezone=True)
_COUNTS = ("done", "added", "changed", "unchanged", "failed", "claim")


def upgrade() -> None:
    """Make the three tables."""
    _imports()
    _of_an_import("import_parts", ["number"], sa.Column("sealed", sa.LargeBinary, nullable=False))
    _of_an_import("import_faults", ["row", "field"], sa.Column("code", sa.Text, nullable=False))


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("command_id", sa.Text),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("wrapped", sa.LargeBinary),
        sa.Column("rows", sa.Integer),
        *(sa.Column(name, sa.Integer, nullable=False) for name in _COUNTS),
        sa.Column("claimed_until", _MOMENT, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="imports_pkey"),
        sa.UniqueConstraint("command_id", name="imports_command_id_key"),
    )
    op.create_index(
        "imports_unfinished", "imports", ["id"], postgresql_where=sa.text("finished_at IS NULL")
    )
    op.create_index("imports_owner_kind_id", "imports", ["owner", "kind", "id"])


def _of_an_import(name: str, key: list[str], value: sa.Column[object]) -> None:
    types = {"number": sa.Integer, "row": sa.Integer, "field": sa.Text}
    op.create_table(
        name,
        sa.Column("import_id", sa.Uuid, nullable=False),
        *(sa.Column(part, types[part], nullable=False) for part in key),
        value,
        sa.PrimaryKeyConstraint("import_id", *key, name=f"{name}_pkey"),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=f"{name}_import_id_fkey"),
    )
