"""The gateway's schema, and duties kept from events."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from marshmallow import ValidationError
from sqlalchemy import create_engine, select

import services.gateway.feed_models  # noqa: F401 - its tables are in the same metadata
from chassis import migrate
from chassis.events import CloudEvent
from chassis.ids import new_id
from services.gateway.authentication import session_roles
from services.gateway.duties import keep_duty
from services.gateway.models import Base, Duty
from services.gateway.policy import Role
from services.gateway.sessions import PASSWORD

NOON = datetime(2026, 11, 10, 4, 0, tzinfo=UTC)
CLERK = Role("clerk", "340603008002")


def event(sequence, **data):
    """A duty's event as the registry tells it."""
    told = {
        "duty": str(data.pop("duty", uuid4())),
        "person": str(data.pop("person", uuid4())),
        "role": "clerk",
        "area": "340603008002",
        "department": None,
        "from": "2026-11-01",
        "to": None,
        **data,
    }
    return CloudEvent(
        id=str(new_id()),
        type="linli.residents.duty_changed.v1",
        source="/residents",
        subject=told["duty"],
        time=NOON,
        sequence=sequence,
        partitionkey=told["duty"],
        traceparent="",
        data=told,
    )


def roles_on(session, person, moment):
    """Those of a person's duties, by which a resident is more than that."""
    *roles, resident = session_roles(session, person, PASSWORD, moment)
    assert resident == Role("resident")
    return roles


def test_models_and_migrations_make_the_same_schema(postgres):
    urls = postgres.create_service_database("gateway")
    migrate.upgrade("services.gateway", urls["owner_url"], "linli_gateway")
    engine = create_engine(urls["owner_url"])
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                # The inbox is the chassis's; the feed's partitions come and go.
                "include_name": lambda name, kind, _parents: (
                    kind != "table" or name in Base.metadata.tables
                ),
            },
        )
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()

    assert differences == []


def test_a_duty_is_kept_as_its_newest_event_has_it(session):
    duty, person = uuid4(), uuid4()
    for sequence, role in ((1, "clerk"), (3, "secretary"), (2, "grid_worker")):
        keep_duty(session, event(sequence, duty=duty, person=person, role=role))

    kept = session.scalars(select(Duty).where(Duty.duty == duty)).one()

    assert (kept.role, kept.sequence) == ("secretary", 3)


@pytest.mark.parametrize(
    ("first", "last", "holds"),
    [
        ("2026-11-10", None, True),
        ("2026-11-01", "2026-11-10", True),
        ("2026-11-11", None, False),
        ("2026-11-01", "2026-11-09", False),
    ],
)
def test_a_duty_holds_on_its_days_and_on_no_other(session, first, last, holds):
    person = uuid4()
    keep_duty(session, event(1, person=person, **{"from": first, "to": last}))

    assert roles_on(session, person, NOON) == ([CLERK] if holds else [])


def test_the_day_is_the_one_of_the_place(session):
    person = uuid4()
    keep_duty(session, event(1, person=person, **{"from": "2026-11-11"}))

    one_minute_to = datetime(2026, 11, 10, 15, 59, tzinfo=UTC)
    midnight = datetime(2026, 11, 10, 16, 0, tzinfo=UTC)

    assert roles_on(session, person, one_minute_to) == []
    assert roles_on(session, person, midnight) == [CLERK]


def test_what_later_versions_add_to_an_event_is_left_alone(session):
    person = uuid4()
    keep_duty(session, event(1, person=person, colour="red"))

    assert roles_on(session, person, NOON) == [CLERK]


def test_an_event_of_another_shape_is_refused(session):
    with pytest.raises(ValidationError):
        keep_duty(session, event(1, **{"from": "some day"}))


def test_days_are_dates(session):
    duty = uuid4()
    keep_duty(session, event(1, duty=duty, to="2026-12-31"))

    assert session.get_one(Duty, duty).ends == date(2026, 12, 31)
