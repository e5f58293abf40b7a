"""An import is refused on the record, and ends when what it was begun by does."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from services.residents.imports.kinds import KINDS
from services.residents.models import Resident
from services.residents.personal_models import AuditEntry
from services.residents.reach import Denied
from tests.integration.residents.importing import Importing, a_database, counts
from tests.integration.residents.world import COMMUNITY, World, caller

CLERK = f"area:{COMMUNITY}"
FILE = f"姓名,楼栋代码\n甲,{COMMUNITY}\n乙,{COMMUNITY}\n".encode()


@pytest.fixture(scope="module")
def engine(postgres):
    with a_database(postgres, ()) as engine:
        yield engine


@pytest.fixture
def residents(engine):
    return Importing(engine, "residents")


@pytest.fixture
def clerk(engine):
    """A clerk's call, and what ends the clerk's duty."""
    with Session(engine) as session, session.begin():
        world = World(session)
        person = world.register("李静")["id"]
        duty = world.start_duty(person, "clerk", area=COMMUNITY, **{"from": "2026-01-01"})["id"]

    def ends(days):
        last = clock.local(clock.now()).date() + timedelta(days=days)
        with Session(engine) as session, session.begin():
            World(session).end_duty(duty, last.isoformat())

    return caller(CLERK, person=person), ends


def finished(residents, begun, call):
    while residents.importer.work():
        pass
    return residents.get(begun["id"], call)


def there(engine):
    with Session(engine) as session:
        return set(session.scalars(select(Resident.id)))


def test_an_import_whose_owner_s_duty_has_ended_changes_nothing_more(residents, engine, clerk):
    call, ends = clerk
    begun = residents.begin(FILE, call=call)
    before = there(engine)

    ends(-1)
    found = finished(residents, begun, call)

    assert (found["state"], counts(found)) == ("failed", (0, 0, 0, 0))
    assert found["errors"] == [{"row": None, "column": None, "code": "forbidden"}]
    assert there(engine) == before
    with Session(engine) as session:
        theirs = AuditEntry.actor == call.actor.id, AuditEntry.outcome == "refused"
        entry = session.scalars(select(AuditEntry).where(*theirs)).one()
    assert (entry.action, entry.kind) == ("residents.write", "resident")


@pytest.mark.parametrize("days", [0, 30])
def test_an_import_goes_on_while_the_duty_does(residents, clerk, days):
    call, ends = clerk
    begun = residents.begin(FILE, call=call)

    ends(days)
    found = finished(residents, begun, call)

    assert (found["state"], found["done"], found["failed"]) == ("done", 2, 0)


def test_it_is_asked_again_before_every_batch(residents, clerk, monkeypatch):
    call, ends = clerk
    monkeypatch.setattr("services.residents.importer.BATCH", 1)
    monkeypatch.setattr(
        "services.residents.importer.faultpoints.reach",
        lambda point: ends(-1) if point == "import.batch" else None,
    )
    begun = residents.begin(FILE, call=call)

    found = finished(residents, begun, call)

    assert (found["state"], found["done"]) == ("failed", 1)


def test_whoever_has_no_duty_goes_by_their_grants_as_ever(residents):
    assert residents.run(FILE)["state"] == "done"


@pytest.mark.parametrize(
    ("kind", "about"), [("residents", "resident"), ("households", "household"), ("areas", None)]
)
def test_a_refused_import_says_what_the_audit_needs(engine, kind, about):
    with pytest.raises(Denied) as refused:
        Importing(engine, kind).begin(FILE, call=caller("own"))

    assert refused.value.operation == KINDS[kind].operation
    subject = refused.value.subject
    assert (subject and subject.kind) == about
