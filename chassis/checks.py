"""What the readiness of any service depends on, by what its container has: broker, database,
migrations, outbox.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from sqlalchemy import func, select

from chassis import migrate
from chassis.database import Database
from chassis.link import Link
from chassis.outbox import outbox

# Seconds that an event may wait for its relay before somebody should look.
_OLD = 30


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
        yield "outbox", partial(_outbox_age, database), True


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


def _outbox_age(database: Database) -> str | None:
    oldest = select(func.extract("epoch", func.now() - outbox.c.created_at))
    with database.engine.connect() as connection:
        age = connection.scalar(oldest.order_by(outbox.c.id).limit(1))
    return "old" if age is not None and age > _OLD else None
