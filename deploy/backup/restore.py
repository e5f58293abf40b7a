"""Bringing a whole system back from a backup, into empty databases and an empty broker."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, make_url, text
from sqlalchemy.orm import Session

from chassis import migrate, topology
from chassis.clock import now
from deploy import settings
from deploy.backfill import end_of_log
from deploy.backup import dump, take
from deploy.backup.manifest import Manifest, check_keys
from deploy.backup.programs import Programs
from deploy.backup.returning import Returned, give_back
from deploy.broker import Broker
from deploy.commands import Refused
from deploy.databases import SERVICES, prepare

Tell = Callable[[str], None]


class NotEmpty(Refused):
    """Something is there that a restore would mix with; nothing has been written."""


@dataclass(frozen=True)
class Restored:
    """What came back: rows by service, what the broker was given, and how many messages are held
    that may have been sent already.
    """

    taken_at: str
    rows: dict[str, int]
    broker: Returned
    held: int


class Restore:
    """A restore that was looked at from all sides and not begun: making one writes nothing but the
    databases and roles that LINLI_DATABASE_ADMIN_URL is there to make. Raises Refused,
    SettingMissing, OperationalError.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder, self._environ = folder, environ
        self._programs = Programs(environ)
        self._broker = settings.broker(environ)
        self.manifest = take.verify(folder, environ)
        check_keys(self.manifest, environ)
        self._owners = {name: settings.database(name, environ, owner=True) for name in SERVICES}
        _check_migrations(self.manifest)
        prepare(environ)
        for service in SERVICES:
            self._check_database(service)
        _check_broker(self._broker)

    def run(self, tell: Tell) -> Restored:
        """Write it all. Whatever goes wrong on the way leaves a system that is not empty: make the
        databases and the virtual host anew, and begin again.
        """
        for service, database in self.manifest.databases.items():
            dump.load(self._programs, self._folder, database, self._owners[service])
            with settings.connected(self._owners[service], seconds=600) as connection:
                dump.check_rows(connection, service, database)
            self._migrate(service)
            tell(f"{service}: {sum(database.rows.values())} rows, as there were")
        _begin_epoch(self._owners["gateway"])
        held = _hold(self._owners["notifications"])
        returned = give_back(self._broker, self._folder, self.manifest, self._environ)
        rows = {name: sum(each.rows.values()) for name, each in self.manifest.databases.items()}
        return Restored(self.manifest.taken_at, rows, returned, held)

    def _migrate(self, service: str) -> None:
        """Grants are made here, and migrations that the backup is behind."""
        application = settings.database(service, self._environ)
        user = str(make_url(application).username)
        migrate.upgrade(f"services.{service}", self._owners[service], user)

    def _check_database(self, service: str) -> None:
        application = make_url(settings.database(service, self._environ)).username
        with settings.connected(self._owners[service]) as connection:
            if found := dump.tables(connection):
                raise NotEmpty(
                    f"the database of {service} has tables ({found[0]}, …): a restore"
                    " goes into empty ones"
                )
            if _sessions_of(connection, str(application)):
                raise NotEmpty(f"{service} runs and is connected to its database: stop it first")


def _check_migrations(manifest: Manifest) -> None:
    for service, database in manifest.databases.items():
        for head in database.heads:
            if not migrate.knows(f"services.{service}", head):
                raise Refused(
                    f"the backup has migration {head} of {service}, which this Linli does not know:"
                    " it was taken of a newer one"
                )


def _sessions_of(connection: Connection, user: str) -> int:
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE usename = :user"
        " AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    return int(connection.scalar(text(others), {"user": user}) or 0)


def _check_broker(broker: Broker) -> None:
    """Events of a broker that outlived its databases would tell of what these know nothing of."""
    queues = broker.snapshot().queues
    if not queues:
        return
    with broker.connect() as connection:
        if topology.LOG_STREAM in queues and end_of_log(connection) is not None:
            raise NotEmpty(
                f"{topology.LOG_STREAM} holds events: a restore goes into an empty"
                f" virtual host; delete {broker.vhost}"
            )
        channel = connection.channel()
        for name, queue in queues.items():
            if queue["arguments"].get("x-queue-type") != "quorum":
                continue
            if channel.queue_declare(name, passive=True).message_count:
                raise NotEmpty(f"{name} holds messages: a restore goes into an empty virtual host")


def _begin_epoch(url: str) -> None:
    """The log counts from 0 again: cursors of before are gone (410), and say where to begin."""
    from services.gateway import feed

    with settings.connected(url) as connection, Session(connection) as session:
        state = feed.load_state(session, now())
        feed.begin_epoch(session, state.epoch, now())
        session.commit()


def _hold(url: str) -> int:
    from services.notifications import restored

    with settings.connected(url, seconds=600) as connection, Session(connection) as session:
        held = restored.hold(session, now())
        session.commit()
    return held
