"""Making a row once: an insert that tells whether it took place, and finding what a repeated
command made before.
"""

from collections.abc import Mapping
from typing import TypeVar

from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import gathering
from chassis.call import Call
from services.residents.models import Made, ResidentKey

Thing = TypeVar("Thing", bound=Made)


def store(session: Session, row: Made | ResidentKey) -> bool:
    """Insert the row, unless one with the same id, code, command or other unique value is there:
    then False. Where writes are gathered it waits with them, and is taken for the first.

    A concurrent insert of the same value is waited for, so that the answer is final and what is in
    the way can be read.
    """
    if gathering.gathers(session):
        gathering.insert(session, type(row), row)
        return True
    columns = {column.name: getattr(row, column.name) for column in row.__table__.columns}
    statement = insert(type(row)).values(columns).on_conflict_do_nothing()
    return session.execute(statement.returning(literal(1))).first() is not None


def made_by(session: Session, model: type[Thing], call: Call) -> Thing | None:
    """The row that this very command made before, if it is a repetition."""
    if call.command_id is None:
        return None
    made = model.command_id == call.command_id
    return session.scalars(select(model).where(made)).one_or_none()


def names(name: str, others: Mapping[str, str] | None) -> dict[str, str]:
    """A name in all its languages: the name itself is Chinese unless said otherwise."""
    return {"zh": name} | dict(others or {})
