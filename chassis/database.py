"""The database dependency: one engine a process, one visible transaction at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

import eventlet
from nameko.extensions import DependencyProvider
from nameko.timer import Timer
from sqlalchemy import Connection, Engine, QueuePool, create_engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from chassis import clock, faultpoints, inbox, logs, metrics, trace, walls
from chassis.call import Call, system_call
from chassis.context import CALL
from chassis.events import CloudEvent
from chassis.pool import Pool, ask_the_rested, singly
from chassis.settings import ServiceSettings
from chassis.wake import RelayWaker

log = logs.get("database")

# Who wakes the relay, who shortens the inbox, two checks of health: no worker waits for them.
_BESIDE_WORKERS = 4
_DEFAULTS: dict[str, Any] = {
    "max_overflow": 0,
    # The one that was used last, which need not be asked first whether it is still there.
    "pool_use_lifo": True,
    "pool_recycle": 1800,
    # An error's text ends in a log, and parameters may be personal data.
    "hide_parameters": True,
}


def make_engine(
    settings: ServiceSettings, pool_size: int | None = None, seen: walls.Settings | None = None
) -> Engine:
    """An engine whose pool is as large as the worker pool; statements and locks give up before
    their caller does. `seen` is what all of its transactions may see, for processes that work in
    nobody's name.
    """
    engine = create_engine(
        settings.database_url,
        pool_size=pool_size or settings.workers + _BESIDE_WORKERS,
        poolclass=Pool,
        pool_timeout=settings.statement_timeout,
        connect_args={
            "options": _options(settings, seen or {}),
            "application_name": f"linli-{settings.service}",
            "connect_timeout": 3,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            # Data that was sent and never acknowledged: the server is frozen or the network is cut.
            "tcp_user_timeout": 10_000,
        },
        **_DEFAULTS,
    )
    ask_the_rested(engine)
    return engine


def _options(settings: ServiceSettings, seen: walls.Settings) -> str:
    milliseconds = {
        "statement_timeout": settings.statement_timeout * 1000,
        "lock_timeout": settings.lock_timeout * 1000,
        # A worker that dies half way must not hold its locks for ever.
        "idle_in_transaction_session_timeout": 30_000,
    }
    limits = (f"-c {name}={int(value)}" for name, value in milliseconds.items())
    return " ".join([*limits, walls.options(seen)]).rstrip()


_READ_ONLY = "25006"


def is_infrastructure(error: BaseException) -> bool:
    """Whether the database, rather than what was asked of it, is at fault: away, overloaded,
    locked, full or restarting.
    """
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    # After a failover the old primary lives on as a replica.
    read_only = getattr(error.orig, "pgcode", None) == _READ_ONLY
    return read_only or bool(error.connection_invalidated)


# An event is remembered as handled for longer than any queue, stream or dead letter keeps one.
_REMEMBER = timedelta(days=60)
_FORGET_EVERY = 60  # seconds


class Transactions:
    """What an entrypoint gets as `self.db`."""

    def __init__(
        self, engine: Engine, waker: RelayWaker, consumer: str, seen: walls.Settings | None = None
    ) -> None:
        self._engine = engine
        self._waker = waker
        self._consumer = consumer
        self._seen = seen

    @contextmanager
    def transaction(self, event: CloudEvent | None = None) -> Iterator[Session]:
        """A session that commits at the end of the block and rolls back on an exception.

        With an event, its inbox row is part of the transaction: the block of an event that this
        consumer has handled before is not run, and the entrypoint acknowledges it.
        """
        with _span("transaction"), self._session(self._seen, expire_on_commit=False) as session:
            with session.begin():
                if event is not None:
                    inbox.enter(session, self._consumer, event.id)
                yield session
            faultpoints.reach("transaction.committed")
        if session.info.get("wake_relay"):
            self._waker.wake()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for queries alone: nothing that is done to objects is kept."""
        told = {name: value for name, value in (self._seen or {}).items() if name != "command"}
        with _span("read"):
            if self._seen is None:
                with singly(self._engine) as one, Session(one, autoflush=False) as session:
                    yield session
            else:
                with self._session(told) as session:
                    yield session

    @contextmanager
    def statements(self) -> Iterator[Connection]:
        """A connection whose statements stand each for itself (`pool.singly`): for a change that is
        one statement and tells nobody. Behind a wall it sees nothing, for what may be seen is told
        to a transaction.
        """
        with _span("statements"), singly(self._engine) as connection:
            yield connection

    def _session(self, told: walls.Settings | None, **options: Any) -> Session:
        if self._seen is None:
            return Session(self._engine, **options)
        return walls.WalledSession(self._engine, info={"wall": told}, **options)

    def ping(self) -> None:
        """Ask the database for an answer; raises what SQLAlchemy raises when there is none."""
        with self._engine.connect() as connection:
            connection.execute(text("SELECT 1"))


def _span(name: str) -> trace.Span:
    """One of a transaction, not of each statement: PostgreSQL's own statistics tell of those."""
    return trace.inner(name, trace.CLIENT, {"db.system.name": "postgresql"})


class Database(DependencyProvider):  # type: ignore[misc]
    """Gives each worker `Transactions`. Nothing connects before the first block is entered, so that
    nothing here can fail.

    With a `wall`, a transaction sees what that says of the call which the worker answers; what the
    service does of its own accord is a call of the system's.
    """

    engine: Engine

    def __init__(self, wall: walls.Wall | None = None) -> None:
        super().__init__()
        self.wall = wall

    def setup(self) -> None:
        settings = self.container.config["settings"]
        self.engine = make_engine(settings)
        self.waker = RelayWaker(self.engine, settings.service)
        pool = cast(QueuePool, self.engine.pool)
        metrics.report("linli_pool_size", "Connections to the database at most", pool.size)
        metrics.report("linli_pool_in_use", "Of those, with a worker", pool.checkedout)

    def start(self) -> None:
        if getattr(self.container.service_cls, "emits", False):
            self.container.spawn_managed_thread(self.waker.run)
        from chassis.consumer import consumers_of

        if consumers_of(self.container.service_cls):
            self.container.spawn_managed_thread(self._keep_inbox_short)

    def _keep_inbox_short(self) -> None:
        while True:
            eventlet.sleep(_FORGET_EVERY)
            try:
                while forgotten := self._forget_some():
                    log.info("inbox_shortened", rows=forgotten)
            except SQLAlchemyError as error:
                log.warning("inbox_not_shortened", error=type(error).__name__)

    def _forget_some(self) -> int:
        with Session(self.engine) as session, session.begin():
            return inbox.forget(session, clock.now() - _REMEMBER)

    def stop(self) -> None:
        self.waker.stop()
        self.engine.dispose()

    kill = stop

    def get_dependency(self, worker_ctx: Any) -> Transactions:
        return Transactions(
            self.engine, self.waker, self.consumer(worker_ctx), self.seen(worker_ctx)
        )

    def seen(self, worker_ctx: Any) -> walls.Settings | None:
        """What the worker's transactions may see; None without a wall."""
        if self.wall is None:
            return None
        call = worker_ctx.data.get(CALL)
        if call is None and isinstance(worker_ctx.entrypoint, Timer):
            call = system_call(worker_ctx.service_name)
        return self.wall(call or Call())

    @staticmethod
    def consumer(worker_ctx: Any) -> str:
        """By what name the inbox knows an entrypoint."""
        return f"{worker_ctx.service_name}.{worker_ctx.entrypoint.method_name}"
