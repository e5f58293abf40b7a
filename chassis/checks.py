"""What the readiness of any service depends on, by what its container has: broker, database,
migrations, outbox.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from sqlalchemy import func, select

from chassis import metrics, migrate
from chassis.database import Database
from chassis.link import Link
from chassis.outbox import outbox

# Seconds that an event may wait for its relay before somebody should look.
_OLD = 30
_COUNTED = 10_000


def standard(container: Any) -> Iterator[tuple[str, Any, bool]]:
    """Name, check and `degrades` of each check, as `health.register` takes them."""
    if link := container.shared_extensions.get(Link):
        yield "broker", lambda: None if link.usable else "not_usable", True
    for extension in container.dependencies:
        if isinstance(extension, Database):
            yield from _of_database(container.service_cls, extension)


def _of_database(service_cls: Any, database: Database) -> Iterator[tuple[str, Any, bool]]:
    # The database has no engine before it is set up: each check asks for it when it runs.
    package = service_cls.__module__.rpartition(".")[0]
    yield "database", partial(_ping, database), False
    yield "migrations", Migrated(package, database), False
    if getattr(service_cls, "emits", False):
        yield "outbox", Waiting(database), True


class Migrated:
    """Whether the database has all migrations of the code; asked until it has, for none is
    undone.
    """

    def __init__(self, package: str, database: Database) -> None:
        self._package = package
        self._database = database
        self._done = False

    def __call__(self) -> str | None:
        self._done = self._done or not migrate.behind(self._package, self._database.engine)
        return None if self._done else "behind"


def _ping(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.execute(select(1))


class Waiting:
    """How many events wait for the relay, of which no more than `_COUNTED` are counted, and since
    when.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: float | None = None
        self._seconds: float | None = None
        metrics.report("linli_outbox_rows", "Events that wait for the relay", lambda: self._rows)
        metrics.report(
            "linli_outbox_seconds", "How long the oldest has waited", lambda: self._seconds
        )

    def __call__(self) -> str | None:
        self._rows = self._seconds = None  # as long as the database does not say
        waiting = select(outbox.c.created_at).order_by(outbox.c.id).limit(_COUNTED).subquery()
        age = func.extract("epoch", func.now() - func.min(waiting.c.created_at))
        with self._database.engine.connect() as connection:
            rows, seconds = connection.execute(select(func.count(), age).select_from(waiting)).one()
        self._rows, self._seconds = float(rows), float(seconds or 0)
        return "old" if self._seconds > _OLD else None
