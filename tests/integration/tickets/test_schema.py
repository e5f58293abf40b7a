"""The migrations make the schema that the models declare, and it refuses the impossible."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from chassis import inbox, migrate, outbox
from services.tickets.models import Base, HistoryRow, TicketRow
from tests.integration.tickets.world import World
from tests.unit.tickets import builders

CHASSIS = {*outbox.metadata.tables, *inbox.metadata.tables, "alembic_version"}


@pytest.fixture
def owner(database: dict[str, str]) -> Any:
    """The owner's engine: the application cannot look at everything."""
    engine = create_engine(database["owner_url"])
    yield engine
    engine.dispose()


def test_migrations_and_models_make_the_same_schema(owner: Engine) -> None:
    with owner.connect() as connection:
        options = {
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "table" or name not in CHASSIS,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_checks_collations_and_the_sequence_are_the_same_too(owner: Engine) -> None:
    """What Alembic does not compare."""
    inspector = inspect(owner)

    assert inspector.get_sequence_names() == ["outbox_id_seq", "ticket_numbers"]
    for name, table in Base.metadata.tables.items():
        made = {check["name"] for check in inspector.get_check_constraints(name)}
        declared = {check.name for check in table.constraints if hasattr(check, "sqltext")}
        assert made == declared
    (number,) = (
        column for column in inspector.get_columns("tickets") if column["name"] == "number"
    )
    assert number["type"].collation == "C"


def test_migrating_again_changes_nothing(database: dict[str, str]) -> None:
    migrate.upgrade("services.tickets", database["owner_url"], "linli_tickets")


def test_the_application_cannot_change_the_schema(session: Session) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        session.execute(text("DROP TABLE tickets"))


def test_no_table_has_a_column_for_a_phone_or_a_name_of_a_person() -> None:
    columns = {column.name for table in Base.metadata.tables.values() for column in table.columns}

    assert not columns & {"phone", "id_number", "reporter_name", "contact", "email"}


def test_two_cannot_make_the_same_step(world: World) -> None:
    """Were the row lock ever forgotten, the second of two moves would still fail."""
    ticket = world.file(builders.resident())
    (first,) = world.history(ticket)

    with pytest.raises(IntegrityError, match="history_pkey"), world.session.begin_nested():
        world.session.execute(
            HistoryRow.__table__.insert().values(
                {column.name: getattr(first, column.name) for column in HistoryRow.__table__.c}
            )
        )


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "lost"}, "tickets_state_check"),
        ({"state": "assigned"}, "tickets_holder_check"),
        ({"visibility": "secret"}, "tickets_visibility_check"),
        ({"latitude": 1.0}, "tickets_location_check"),
    ],
)
def test_impossible_tickets_are_refused(
    world: World, values: dict[str, Any], constraint: str
) -> None:
    ticket = world.file(builders.resident())

    with pytest.raises(IntegrityError, match=constraint), world.session.begin_nested():
        world.session.execute(
            update(TicketRow).where(TicketRow.id == ticket["id"]).values(**values)
        )
