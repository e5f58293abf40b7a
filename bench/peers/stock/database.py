"""A session for each worker, as nameko-sqlalchemy's DatabaseSession gives one."""

from typing import Any
from weakref import WeakKeyDictionary

from nameko.extensions import DependencyProvider
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker


class DatabaseSession(DependencyProvider):  # type: ignore[misc]
    """Opened at a worker's setup and closed at its end; connects at the first statement."""

    def __init__(self, base: type[DeclarativeBase]) -> None:
        self._base = base
        self._sessions: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()

    def setup(self) -> None:
        config = self.container.config
        url = config["DB_URIS"][self._base.__name__]
        self._engine = create_engine(url, pool_size=self.container.max_workers, max_overflow=0)
        self._session = sessionmaker(self._engine, expire_on_commit=False)

    def stop(self) -> None:
        self._engine.dispose()

    def get_dependency(self, worker_ctx: Any) -> Session:
        session = self._session()
        self._sessions[worker_ctx] = session
        return session

    def worker_teardown(self, worker_ctx: Any) -> None:
        self._sessions.pop(worker_ctx).close()
