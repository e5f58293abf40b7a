"""Sessions that leave nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session


@contextmanager
def rolled_back(engine: Engine) -> Iterator[Session]:
    """A session on one connection whose outer transaction is rolled back: what is tested in it may
    commit as it likes.
    """
    with engine.connect() as connection, connection.begin() as outer:
        with Session(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        ) as session:
            yield session
        outer.rollback()
