"""Imports in a real database: every row once, whatever happens to the worker."""

from datetime import timedelta
from itertools import islice

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from chassis.errors import Conflict, Forbidden, Invalid, NotFound
from chassis.outbox import outbox
from services.residents.imports import claims, files, jobs, schemas, spreadsheets
from services.residents.imports.kinds import KINDS
from services.residents.imports.models import Import, ImportFault, ImportPart
from services.residents.imports.rows import Taker
from services.residents.models import Area
from tests.integration.residents.importing import Importing, a_database, a_district, counts
from tests.integration.residents.world import VAULT, caller


@pytest.fixture(scope="module")
def engine(postgres):
    with a_database(postgres) as engine:
        yield engine


@pytest.fixture
def importing(engine):
    return Importing(engine, "areas")


def tree(district, *names):
    """A file of a district with one estate of each name."""
    community = f"{district[:6]}008002"
    rows = [f"{district},区", f"{district[:6]}008000,街道", f"{community},社区"]
    rows += [f"{community}.e{number},{name}" for number, name in enumerate(names, start=1)]
    return "\n".join(["区域代码,名称", *rows])


def names(engine, district):
    with Session(engine) as session:
        found = select(Area.code, Area.name).where(Area.code.startswith(district[:6]))
        return dict(session.execute(found).all())


def events(engine, district):
    with Session(engine) as session:
        theirs = outbox.c.body.contains(f'"subject":"{district[:6]}')
        return session.scalar(select(func.count()).where(theirs))


def test_a_file_adds_what_is_not_there_and_the_same_file_again_changes_nothing(importing, engine):
    district = a_district()
    file = tree(district, "幸福里", "阳光里")

    first, second = importing.run(file), importing.run(file)

    assert (first["state"], first["rows"], first["done"]) == ("done", 5, 5)
    assert counts(first) == (5, 0, 0, 0)
    assert counts(second) == (0, 0, 5, 0)
    assert names(engine, district)[f"{district[:6]}008002.e2"] == "阳光里"
    assert events(engine, district) == 5


def test_a_file_renames_and_leaves_alone_what_it_does_not_say(importing, engine):
    district = a_district()
    importing.run(f"code,name,names_en\n{district},旧区,Old")

    renamed = importing.run(f"code,name\n{district},新区")

    assert counts(renamed) == (0, 1, 0, 0)
    with Session(engine) as session:
        assert session.get(Area, district).names == {"zh": "新区", "en": "Old"}


def test_each_row_that_fails_says_why_and_the_others_are_taken(importing, engine):
    district = a_district()
    file = f"code,name\n{district},区\n{district[:6]}008002,\n12,x\n{district},again\n" + (
        f"{district[:6]}008003,孤儿\n=1+1,x\n"
    )

    found = importing.run(file)

    assert counts(found) == (1, 0, 0, 5)
    assert [(each["row"], each["column"], each["code"]) for each in found["errors"]] == [
        (3, "name", "required"),
        (4, "code", "invalid_value"),
        (5, "code", "repeated_row"),
        (6, "code", "unknown_parent"),
        (7, "code", "formula"),
    ]
    assert names(engine, district) == {district: "区"}


def test_a_dry_run_says_what_would_come_of_it_and_changes_nothing(importing, engine):
    district = a_district()
    file = tree(district, "幸福里") + "\n999999008002,孤儿"

    dry = importing.run(file, dry_run=True)

    assert dry["dry_run"] is True
    assert counts(dry) == (4, 0, 0, 1)
    assert dry["errors"] == [{"row": 6, "column": "code", "code": "unknown_parent"}]
    assert names(engine, district) == {}
    assert events(engine, district) == 0
    assert counts(importing.run(file)) == counts(dry)


def test_a_file_that_is_none_fails_whole(importing):
    found = importing.run(b"PK\x03\x04 not really")

    assert (found["state"], found["rows"], found["done"]) == ("failed", None, 0)
    assert found["errors"] == [{"row": None, "column": None, "code": "not_a_spreadsheet"}]


def test_the_file_is_sealed_while_it_waits_and_gone_when_it_is_done(importing, engine):
    district = a_district()
    file = tree(district, "金丝雀里").encode()
    begun = importing.begin(file, parts=3)
    with Session(engine) as session:
        pieces = session.scalars(select(ImportPart.sealed)).all()
        rows = session.scalars(text("SELECT t::text FROM imports t")).all()
    assert len(pieces) == 3
    for canary in ("金丝雀".encode(), b"008002"):
        assert canary not in b"".join(pieces)
        assert canary.decode() not in "".join(rows)

    importing.importer.work()

    with Session(engine) as session:
        job = session.get(Import, begun["id"])
        assert (job.key_id, job.wrapped) == (None, None)
        assert session.scalar(select(func.count()).select_from(ImportPart)) == 0


def test_a_worker_that_died_is_followed_by_one_that_goes_on_where_it_stood(
    importing, engine, monkeypatch
):
    monkeypatch.setattr("services.residents.importer.BATCH", 2)
    district = a_district()
    file = tree(district, *"甲乙丙丁戊") + f"\n{district},again"
    begun = importing.begin(file.encode())
    dead = importing.claim()
    with Session(engine) as session, session.begin():
        job = claims.held(session, dead)
        job.rows = 9
    # Four rows are taken, as the dead one would have committed them.
    _take_rows(importing, dead, 4)

    assert importing.claim() is None  # It may still be alive.
    _run_out(engine, begun)
    importing.importer.work()

    found = importing.get(begun["id"])
    assert counts(found) == (8, 0, 0, 1)
    assert [(each["row"], each["code"]) for each in found["errors"]] == [(10, "repeated_row")]
    assert events(engine, district) == 8


def test_who_has_lost_the_claim_changes_nothing_any_more(importing, engine):
    district = a_district()
    begun = importing.begin(tree(district).encode())
    slow = importing.claim()
    _run_out(engine, begun)
    assert importing.claim().claim == slow.claim + 1

    with Session(engine) as session, pytest.raises(claims.ClaimLost):
        claims.held(session, slow)
    _run_out(engine, begun)
    importing.importer.work()
    with Session(engine) as session, pytest.raises(claims.ClaimLost):
        claims.held(session, slow)


def test_the_lease_is_renewed_while_a_long_file_is_read(importing, engine, monkeypatch):
    monkeypatch.setattr("services.residents.importer._RENEW", 2)
    begun = importing.begin(tree(a_district(), *"甲乙丙").encode())
    job = importing.claim()
    _run_out(engine, begun)

    rows = importing.importer._holding(job, iter(range(3)))

    assert list(rows) == [0, 1, 2]
    assert importing.claim() is None
    _run_out(engine, begun)
    importing.importer.work()


def test_two_workers_never_take_the_same_import(importing, engine):
    importing.begin(tree(a_district()).encode())
    importing.begin(tree(a_district()).encode())

    with Session(engine) as one, Session(engine) as other, one.begin(), other.begin():
        first, second = claims.take(one), claims.take(other)
        assert first.id != second.id
        assert claims.take(other) is None
        one.rollback()
        other.rollback()
    while importing.importer.work():
        pass


def test_a_file_that_ends_its_workers_is_given_up(importing, engine):
    begun = importing.begin(tree(a_district()).encode())
    for _ in range(11):
        importing.claim()
        _run_out(engine, begun)

    found = importing.get(begun["id"])
    assert (found["state"], found["errors"][0]["code"]) == ("failed", "internal")


def test_what_has_not_ended_within_a_day_is_given_up_with_its_file(importing, engine):
    begun = importing.begin(tree(a_district()).encode())
    with Session(engine) as session, session.begin():
        old = Import.created_at - timedelta(days=1, minutes=1)
        session.execute(update(Import).where(Import.id == begun["id"]).values(created_at=old))

    importing.importer.work()

    found = importing.get(begun["id"])
    assert (found["state"], found["errors"][0]["code"]) == ("failed", "expired")


def test_faults_of_last_month_are_dropped(importing, engine):
    found = importing.run("code,name\nx,y")
    with Session(engine) as session, session.begin():
        past = Import.finished_at - timedelta(days=31)
        session.execute(update(Import).where(Import.id == found["id"]).values(finished_at=past))
        claims.forget_old(session)

    assert importing.get(found["id"])["errors"] == []
    assert importing.get(found["id"])["failed"] == 1


def test_faults_come_in_pages_by_row(importing):
    found = importing.run("code,name\n" + "".join(f"bad{number},x\n" for number in range(25)))

    first = importing.faults(found["id"], limit=20)
    second = importing.faults(found["id"], limit=20, after=first["next"])

    assert len(found["errors"]) == jobs.FIRST_FAULTS
    rows = [each["row"] for page in (first, second) for each in page["items"]]
    assert rows == list(range(2, 27))
    assert second["next"] is None


def test_a_repeated_command_begins_one_import(importing):
    call = caller(person=importing.call.actor.id)
    file = tree(a_district()).encode()

    first, second = importing.begin(file, call=call), importing.begin(file, call=call)

    assert first["id"] == second["id"]
    importing.importer.work()
    assert importing.begin(file, call=call)["state"] == "done"


def test_an_import_is_seen_by_who_began_it_and_by_who_may_do_such_everywhere(importing):
    found = importing.run(tree(a_district()))

    assert importing.get(found["id"], caller())["id"] == found["id"]
    with pytest.raises(NotFound):
        importing.get(found["id"], caller("area:410101000000"))


def test_nobody_imports_who_may_only_write_of_themselves(importing):
    for call in (caller("own"), caller("any", "areas.read")):
        with pytest.raises(Forbidden):
            importing.begin(b"code,name\n1,2", call=call)


def test_an_import_waits_for_all_of_its_file(importing, engine):
    call = importing.call
    with Session(engine) as session:
        wanted = schemas.BeginImport().load({"kind": "areas", "parts": 2})
        begun = jobs.begin(session, call, VAULT, wanted)
        which = schemas.ImportRef().load({"kind": "areas", "id": begun["id"]})
        with pytest.raises(Conflict):
            jobs.start(session, call, which)


def test_what_is_no_spreadsheet_at_first_sight_is_refused_at_once(importing):
    with pytest.raises(Invalid) as refused:
        importing.begin(b"\x89PNG\0\0")

    assert [(each["pointer"], each["code"]) for each in refused.value.errors] == [
        ("/file", "not_a_spreadsheet")
    ]


def test_looking_for_work_and_for_one_s_own_are_index_scans(engine):
    with Session(engine) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        free = "SELECT * FROM imports WHERE finished_at IS NULL ORDER BY id LIMIT 1"
        own = "SELECT * FROM imports WHERE owner = 'x' AND kind = 'areas' ORDER BY id DESC LIMIT 51"
        plans = [_plan(session, query) for query in (free, own)]

    assert "imports_unfinished" in plans[0]
    assert "imports_owner_kind_id" in plans[1]
    assert not any("Sort" in plan for plan in plans)


def test_a_fault_s_message_holds_nothing_of_the_cell(importing, engine):
    importing.run("code,name\n340603198001011234,王小明\n")

    with Session(engine) as session:
        told = session.scalars(text("SELECT t::text FROM import_faults t")).all()
    assert "340603198001011234" not in "".join(told)
    assert session.scalar(select(func.count()).select_from(ImportFault)) > 0


def _take_rows(importing, job, number):
    kind = KINDS["areas"]
    with Session(importing.engine) as session:
        content = files.content(session, VAULT, job)
    taker = Taker(kind.rows(VAULT), kind.columns, dry_run=False)
    rows = list(islice(spreadsheets.rows(content, kind.columns), number))
    importing.importer._take(job, taker, rows)


def _run_out(engine, begun):
    """The lease of whoever works on it."""
    with Session(engine) as session, session.begin():
        past = Import.claimed_until - timedelta(minutes=1)
        session.execute(update(Import).where(Import.id == begun["id"]).values(claimed_until=past))


def _plan(session, query):
    return "\n".join(session.scalars(text(f"EXPLAIN {query}")).all())
