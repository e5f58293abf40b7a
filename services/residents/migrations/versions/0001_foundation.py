"""Places, departments, people with their keys, and duties; outbox and inbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from chassis.migrate import create_inbox, create_outbox

revision = "0001"
down_revision = None

_TREE_KEY = sa.Text(collation="C")
_MOMENT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make everything."""
    create_outbox()
    create_inbox()
    _areas()
    _departments()
    _residents()
    _resident_keys()
    _duties()


def _areas() -> None:
    op.create_table(
        "areas",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("tree_key", _TREE_KEY, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("parent", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("names", JSONB, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("command_id", sa.Text),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("code", name="areas_pkey"),
        sa.ForeignKeyConstraint(["parent"], ["areas.code"], name="areas_parent_fkey"),
        sa.UniqueConstraint("tree_key", name="areas_tree_key_key"),
        sa.UniqueConstraint("command_id", name="areas_command_id_key"),
    )
    op.create_index("areas_parent_tree_key", "areas", ["parent", "tree_key"])


def _departments() -> None:
    op.create_table(
        "departments",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("names", JSONB, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("command_id", sa.Text),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("code", name="departments_pkey"),
        sa.UniqueConstraint("command_id", name="departments_command_id_key"),
    )


def _residents() -> None:
    op.create_table(
        "residents",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("area", sa.Text),
        sa.Column("tree_key", _TREE_KEY, nullable=False),
        sa.Column("name", sa.LargeBinary),
        sa.Column("phone", sa.LargeBinary),
        sa.Column("id_number", sa.LargeBinary),
        sa.Column("address", sa.LargeBinary),
        sa.Column("name_index", sa.LargeBinary),
        sa.Column("phone_index", sa.LargeBinary),
        sa.Column("id_number_index", sa.LargeBinary),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("command_id", sa.Text),
        sa.Column("registered_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="residents_pkey"),
        sa.ForeignKeyConstraint(["area"], ["areas.code"], name="residents_area_fkey"),
        sa.UniqueConstraint("phone_index", name="residents_phone_index_key"),
        sa.UniqueConstraint("id_number_index", name="residents_id_number_index_key"),
        sa.UniqueConstraint("command_id", name="residents_command_id_key"),
    )
    op.create_index("residents_tree_key_id", "residents", ["tree_key", "id"])
    op.create_index("residents_area", "residents", ["area"])
    op.create_index("residents_name_index", "residents", ["name_index"])


def _resident_keys() -> None:
    op.create_table(
        "resident_keys",
        sa.Column("resident", sa.Uuid, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("resident", name="resident_keys_pkey"),
        sa.ForeignKeyConstraint(["resident"], ["residents.id"], name="resident_keys_resident_fkey"),
    )
    op.create_index("resident_keys_key_id", "resident_keys", ["key_id"])


def _duties() -> None:
    op.create_table(
        "duties",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person", sa.Uuid, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("area", sa.Text),
        sa.Column("tree_key", _TREE_KEY, nullable=False),
        sa.Column("department", sa.Text),
        sa.Column("starts", sa.Date, nullable=False),
        sa.Column("ends", sa.Date),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("command_id", sa.Text),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="duties_pkey"),
        sa.ForeignKeyConstraint(["person"], ["residents.id"], name="duties_person_fkey"),
        sa.ForeignKeyConstraint(["area"], ["areas.code"], name="duties_area_fkey"),
        sa.ForeignKeyConstraint(
            ["department"], ["departments.code"], name="duties_department_fkey"
        ),
        sa.UniqueConstraint("command_id", name="duties_command_id_key"),
        sa.CheckConstraint("ends >= starts - 1", name=op.f("duties_days_check")),
    )
    for column in ("person", "area", "department", "tree_key"):
        op.create_index(f"duties_{column}", "duties", [column])
