"""The migrations make the schema that the models declare, and the application owns none of it."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import ProgrammingError

from chassis import inbox, migrate, outbox
from services.residents import official_areas as _official  # noqa: F401 - declares its table
from services.residents import personal_models as _personal  # noqa: F401 - declares its tables
from services.residents import phone_changes as _changes  # noqa: F401 - declares its table
from services.residents import withdrawn_phones as _withdrawn  # noqa: F401 - declares its table
from services.residents.care import models as _care  # noqa: F401 - declares its table
from services.residents.imports import models as _imports  # noqa: F401 - declares its tables
from services.residents.models import Base

OURS = {
    "areas", "departments", "residents", "resident_keys", "duties",
    "households", "household_members", "audit", "audit_people", "consents",
    "care_tags", "phone_changes", "withdrawn_phones",
    "imports", "import_parts", "import_faults", "official_areas",
}  # fmt: skip


def test_migrations_and_models_make_the_same_schema(owner_session):
    context = MigrationContext.configure(
        owner_session.connection(),
        opts={
            "compare_type": True,
            "include_name": lambda name, kind, _parents: kind != "table" or name in OURS,
        },
    )

    assert compare_metadata(context, Base.metadata) == []
    assert set(Base.metadata.tables) == OURS


def test_collations_and_checks_are_the_same_too(owner_session):
    """What Alembic does not compare."""
    inspector = inspect(owner_session.connection())

    for name, table in Base.metadata.tables.items():
        made = {column["name"]: column["type"] for column in inspector.get_columns(name)}
        for column in table.columns:
            declared = getattr(column.type, "collation", None)
            assert getattr(made[column.name], "collation", None) == declared, (
                f"{name}.{column.name}"
            )
    assert [check["name"] for check in inspector.get_check_constraints("duties")] == [
        "duties_days_check"
    ]


def test_outbox_and_inbox_are_there(owner_session):
    tables = set(inspect(owner_session.connection()).get_table_names())

    assert tables - OURS - {"alembic_version"} == set(outbox.metadata.tables) | set(
        inbox.metadata.tables
    )


def test_migrating_again_changes_nothing(database, owner_session):
    def catalog():
        names = "SELECT relname, relkind, relacl::text, oid, relfilenode FROM pg_class ORDER BY oid"
        return owner_session.execute(text(names)).all()

    before = catalog()
    owner_session.commit()
    migrate.upgrade("services.residents", database["owner_url"], "linli_residents")

    assert catalog() == before


def test_the_application_s_user_cannot_change_the_schema(session):
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        session.execute(text("DROP TABLE residents"))
