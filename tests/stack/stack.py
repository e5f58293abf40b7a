"""The whole system, as `make up` starts it, under a test's control: servers, four services, the
stand-ins for SMS and mail and the demo community, each of which can be stopped, killed and brought
back.
"""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from deploy.databases import SERVICES
from deploy.local import places, processes
from deploy.local.child import Child
from deploy.local.demo import Demo
from deploy.local.environment import BROKER_PORTS, Environment
from deploy.local.home import Home
from deploy.local.launcher import CLASSES, mail_standin_command
from deploy.local.ports import free_port
from deploy.local.servers import FLEETING, PrivatePostgres, PrivateRabbitMQ
from tests.stack.clients import Community

READY_WITHIN = 60.0
STATISTICS = 500
"""Milliseconds between the broker's counts: drills wait for what it counts last."""
# Tests ask more often than anybody would; what limits do is tested elsewhere.
WITHOUT_LIMITS = {
    "LINLI_RATE_SIGNED_IN": "1000000/minute",
    "LINLI_RATE_ANONYMOUS": "1000000/minute",
    "LINLI_RATE_ANONYMOUS_FILING": "1000000/minute",
    "LINLI_RATE_ANONYMOUS_PHONE": "1000000/minute",
    "LINLI_RATE_SIGN_IN": "1000000/minute",
    "LINLI_RATE_CODES": "1000000/minute",
    "LINLI_CODES_PER_PHONE": "20",
    # Seconds until what a killed worker was about to send is sent by another.
    "LINLI_DELIVERY_LEASE": "8",
}


class Stack:
    """One installation in `folder`. `settings` are variables that all of its processes get,
    `postgres` settings of its database server; `detours` the ports through which services that
    start from now on reach the servers' ports.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        postgres: Mapping[str, str] = FLEETING,
    ) -> None:
        self.home = Home(folder / "home")
        outside = {name: text for name, text in os.environ.items() if not _ours(name)}
        chosen = {**WITHOUT_LIMITS, "LINLI_HTTP_PORT": str(free_port()), **(settings or {})}
        self.environment = Environment(self.home, {**outside, **chosen})
        self.environment.choose_ports()
        ports = {name: self.home.port(name) for name in BROKER_PORTS}
        self.rabbitmq = PrivateRabbitMQ(
            folder / "rabbitmq",
            ports=ports,
            password=self.home.secret("rabbitmq"),
            statistics=STATISTICS,
        )
        self.postgres = PrivatePostgres(
            folder / "postgres", password=self.home.secret("postgres"), settings=postgres
        )
        self.ready: dict[str, Any] = {}
        self.detours: dict[int, int] = {}
        self._engines: dict[str, Engine] = {}
        self._replicas: dict[str, int] = {}
        self._children: dict[str, Child] = {}

    def up(self) -> None:
        """From nothing to a community that works."""
        self.serve()
        self._job("deploy.databases")
        self._job("deploy.topology", "apply")
        self.open()
        self.ready = Demo(self.home, self.environment).provide()

    def serve(self) -> None:
        """Servers with nothing in them."""
        self.rabbitmq.begin()
        self.postgres.start()
        for name in SERVICES:
            self.environment.name_database(name, self._database(name))
        self.rabbitmq.wait()

    def open(self) -> None:
        """The stand-ins and the four services, on servers that have what they need."""
        self._start_standins()
        for name in SERVICES:
            self.start(name)
        self.wait_ready()

    def down(self) -> None:
        """End everything, the fast way."""
        for child in self._children.values():
            child.kill()
        self.rabbitmq.kill()
        self.postgres.kill()

    @property
    def community(self) -> Community:
        """The demo's people, new clients every time."""
        return Community(self.ready)

    def start(self, name: str, **variables: str) -> None:
        """Start a service, without waiting; `variables` hold for this start only."""
        if name in self._children:
            self._children[name].stop()
        service = name.partition("-")[0]
        command = [sys.executable, "-m", "chassis.runner", CLASSES[service]]
        environ = {**self._detoured(self.environment.of_service(service)), **variables}
        if name in self._replicas:
            environ[_port_variable(service)] = str(self._replicas[name])
        self._children[name] = Child(
            name, command, self.home.log_of_a_start(name), environ, grace=20.0
        )
        self._children[name].start()

    def add_replica(self, service: str, **variables: str) -> str:
        """Start another process of a service beside those there are; its name."""
        numbers = itertools.count(2)
        name = next(name for n in numbers if not self.running(name := f"{service}-{n}"))
        self._replicas[name] = free_port()
        self.start(name, **variables)
        return name

    def freeze(self, name: str) -> None:
        """SIGSTOP of a service with all that works beside it: as one sees it whose host hangs."""
        self._children[name].freeze()

    def thaw(self, name: str) -> None:
        """SIGCONT after `freeze`."""
        self._children[name].thaw()

    def kill(self, name: str) -> None:
        """`kill -9` of a service's process, which takes its relay with it."""
        processes.send(self.pid(name), signal.SIGKILL)
        self.wait_ended(name)

    def stop(self, name: str, within: float = 20.0) -> float:
        """SIGTERM; how many seconds it took to end."""
        begun = time.monotonic()
        processes.send(self.pid(name), signal.SIGTERM)
        self.wait_ended(name, within)
        return time.monotonic() - begun

    def restart(self, name: str, **variables: str) -> None:
        """Start a service that has ended, or end and start it, and wait until it is ready."""
        if self.running(name):
            self.stop(name)
        self.start(name, **variables)
        self.wait_ready(name)

    def restart_all(self) -> None:
        """End every service and start it anew, all at once."""
        for name in SERVICES:
            self.stop(name)
        for name in SERVICES:
            self.start(name)
        self.wait_ready()

    def heal(self) -> None:
        """Bring back every service that is not there, and wait until all are ready."""
        for name in SERVICES:
            self._children[name].thaw()
            if not self.running(name):
                self.start(name)
        self.wait_ready()

    def pid(self, name: str) -> int:
        """The process id of a service."""
        pid = self._children[name].pid
        assert pid is not None, f"{name} does not run"
        return pid

    def running(self, name: str) -> bool:
        """Whether a service's process is there."""
        return name in self._children and self._children[name].running

    def wait_ended(self, name: str, within: float = 20.0) -> None:
        """Until the process of a service has ended, with its keeper; raises AssertionError."""
        deadline = time.monotonic() + within
        while self._children[name].running:
            assert time.monotonic() < deadline, f"{name} still runs after {within} s"
            time.sleep(0.01)
        self._children[name].stop()

    def readiness(self, name: str) -> tuple[int, dict[str, Any]]:
        """Status and body of a service's /readyz; 0 when nobody answers."""
        with requests.Session() as session, suppress(requests.RequestException):
            session.trust_env = False
            answer = session.get(f"http://127.0.0.1:{self.port(name)}/readyz", timeout=3)
            return answer.status_code, answer.json()
        return 0, {}

    def port(self, name: str) -> int:
        """Where a service answers for its health."""
        known = self._replicas.get(name) or self.home.known_port(f"health_{name}")
        return known or self.environment.http_port

    def is_ready(self, name: str) -> bool:
        """Whether a service is ready and lacks nothing."""
        status, body = self.readiness(name)
        return status == 200 and body.get("status") == "ready"

    def wait_ready(self, *names: str, within: float = READY_WITHIN) -> float:
        """Until these services, or all, are ready; how many seconds that took. Raises
        AssertionError with what is missing.
        """
        begun = time.monotonic()
        for name in names or SERVICES:
            while not self.is_ready(name):
                if time.monotonic() - begun > within:
                    raise AssertionError(f"{name}: {self.readiness(name)}\n{self.log(name, 20)}")
                time.sleep(0.05)
        return time.monotonic() - begun

    def log(self, name: str, lines: int | None = None) -> str:
        """What a service has logged, all of it or its last lines."""
        found = self.home.log(name).read_text(errors="replace").splitlines()
        return "\n".join(found if lines is None else found[-lines:])

    def logged(self, name: str, since: int) -> str:
        """What a service has logged beyond so many bytes."""
        with self.home.log(name).open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def rows(self, service: str, sql: str, **values: Any) -> list[dict[str, Any]]:
        """What a query finds in a service's database, seen by the superuser."""
        with self._engine(service).connect() as connection:
            return [dict(row) for row in connection.execute(text(sql), values).mappings()]

    def _engine(self, service: str) -> Engine:
        # One a database: the first connection of each asks the server a dozen things, and what is
        # polled while the server is measured must not.
        if service not in self._engines:
            url = self.postgres.url(f"linli_{service}")
            self._engines[service] = create_engine(url, poolclass=NullPool, use_native_hstore=False)
        return self._engines[service]

    def value(self, service: str, sql: str, **values: Any) -> Any:
        """The one value that a query finds."""
        [row] = self.rows(service, sql, **values)
        [found] = row.values()
        return found

    def mails(self) -> list[dict[str, Any]]:
        """Every mail that the stand-in was given, oldest first."""
        with requests.Session() as session:
            session.trust_env = False
            address = f"{self.ready['mail_url']}/messages"
            found: list[dict[str, Any]] = session.get(address, timeout=15).json()["items"]
            return found

    def texts(self) -> list[str]:
        """Every text that the stand-in was given, oldest first."""
        with requests.Session() as session:
            session.trust_env = False
            address = f"{self.ready['sms_url']}/messages"
            return [each["text"] for each in session.get(address, timeout=15).json()["items"]]

    def linli(self, *arguments: str) -> str:
        """What the operator's command prints."""
        return self._job("deploy.cli", *arguments)

    def migrate(self, service: str, **variables: str) -> None:
        """Bring a service's database to the newest migration of its code."""
        self._job("chassis.migrate", f"services.{service}", **variables)

    def _detoured(self, environ: dict[str, str]) -> dict[str, str]:
        for port, detour in self.detours.items():
            reached, instead = f"@127.0.0.1:{port}/", f"@127.0.0.1:{detour}/"
            environ = {name: text.replace(reached, instead) for name, text in environ.items()}
        return environ

    def _database(self, name: str) -> dict[str, str]:
        return self.postgres.provide(
            name,
            f"linli_{name}",
            owner_password=self.home.secret(f"owner_{name}"),
            app_password=self.home.secret(f"database_{name}"),
        )

    def _start_standins(self) -> None:
        sms = ["deploy.local.sms_standin", "--port", str(self.home.known_port("sms"))]
        environ = self.environment.of_service("notifications")
        for name, module in {"sms": sms, "mail": mail_standin_command(self.home)}.items():
            command = [sys.executable, "-m", *module]
            self._children[name] = Child(name, command, self.home.log_of_a_start(name), environ)
            self._children[name].start()

    def _job(self, module: str, *arguments: str, **variables: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env={**self.environment.of_operator(), **variables},
            cwd=places.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (module, arguments, done.stdout, done.stderr)
        return done.stdout


def _port_variable(service: str) -> str:
    return "LINLI_HTTP_PORT" if service == "gateway" else f"LINLI_HEALTH_PORT_{service.upper()}"


def _ours(name: str) -> bool:
    return name.startswith("LINLI_")
