"""Writes that wait for each other, in a real database."""

import pytest
from sqlalchemy import Integer, Text, create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from chassis import gathering
from chassis.gathering import Contended, gathered


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "gathered_things"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text)


class Part(Base):
    __tablename__ = "gathered_parts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)


@pytest.fixture
def session(postgres):
    engine = create_engine(postgres.create_service_database("echo")["owner_url"])
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        yield session
        session.rollback()
    engine.dispose()


@pytest.fixture
def sent(session):
    """The statements that were sent."""
    statements = []
    event.listen(
        session.get_bind(), "before_cursor_execute", lambda *told: statements.append(told[2])
    )
    return statements


def together(session, *rows, error=None):
    """Insert rows in a savepoint, and then fail if told so."""
    with session.begin_nested(), gathered(session):
        for model, row in rows:
            gathering.insert(session, model, row)
        if error:
            raise error


def number(session, model):
    return session.scalar(select(func.count()).select_from(model))


def test_what_is_gathered_takes_a_statement_a_table_at_the_end(session, sent):
    with gathered(session):
        for number_of in range(50):
            gathering.insert(session, Thing, {"id": number_of, "name": "x"})
            gathering.insert(session, Part, {"id": number_of})
        assert sent == []

    assert [statement.split(" (")[0] for statement in sent] == [
        "INSERT INTO gathered_things",
        "INSERT INTO gathered_parts",
    ]
    assert (number(session, Thing), number(session, Part)) == (50, 50)


def test_a_row_for_each_of_several_tables_may_take_one_statement(session, sent):
    with gathered(session, as_one=True):
        gathering.insert(session, Thing, {"id": 1, "name": "one"})
        gathering.insert(session, Part, Part(id=2))

    assert len(sent) == 1
    assert session.execute(select(Thing.id, Thing.name)).all() == [(1, "one")]
    assert session.scalars(select(Part.id)).all() == [2]


def test_an_object_may_change_as_long_as_it_waits(session):
    thing = Thing(id=1, name="before")
    with gathered(session):
        gathering.insert(session, Thing, thing)
        thing.name = "after"

    assert session.scalars(select(Thing.name)).all() == ["after"]


def test_removals_come_first_and_together(session, sent):
    gathering.insert(session, Thing, *({"id": each, "name": "old"} for each in range(3)))
    sent.clear()

    with gathered(session):
        for each in range(3):
            gathering.insert(session, Thing, {"id": each, "name": "new"})
            gathering.remove(session, Thing.id, each)

    assert len(sent) == 2
    assert set(session.scalars(select(Thing.name))) == {"new"}


def test_whoever_was_there_first_keeps_all_of_it_out(session):
    gathering.insert(session, Thing, {"id": 1, "name": "first"})

    with pytest.raises(Contended):
        together(session, (Part, {"id": 1}), (Thing, {"id": 1, "name": "second"}))

    assert (number(session, Part), not gathering.gathers(session)) == (0, True)
    assert session.scalars(select(Thing.name)).all() == ["first"]


def test_what_goes_wrong_inside_leaves_nothing_waiting(session, sent):
    with pytest.raises(KeyError):
        together(session, (Thing, {"id": 1, "name": "x"}), error=KeyError)

    assert not [statement for statement in sent if "INSERT" in statement]
    gathering.insert(session, Thing, {"id": 2, "name": "at once"})
    gathering.remove(session, Thing.id, 2)
    assert number(session, Thing) == 0
