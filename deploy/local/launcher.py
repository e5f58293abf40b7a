"""`make up`: servers, topology, migrations, services and a demo community, in that order, and the
end of them all.
"""

import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from deploy.databases import SERVICES
from deploy.local import demo, places, rabbitmq
from deploy.local.child import Child, Died
from deploy.local.demo import Demo
from deploy.local.environment import BROKER_PORTS, Environment
from deploy.local.home import Home
from deploy.local.ports import is_free
from deploy.local.postgres import PrivatePostgres
from deploy.local.progress import Progress
from deploy.local.rabbitmq import PrivateRabbitMQ
from deploy.local.supervisor import Supervisor, start_again

READY_WITHIN = 60.0
CLASSES = {name: f"services.{name}.service:{name.capitalize()}Service" for name in SERVICES}


class CannotStart(RuntimeError):
    """Something outside is in the way; the message says what."""


class Stop(BaseException):
    """Somebody asked us to end. Not an Exception: nothing on the way may take it for an error."""


class Launcher:
    """One local installation, from nothing to ready and back."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._environment = Environment(home)
        self._progress = Progress()
        self._supervisor = Supervisor(self._progress.say)
        self._broker: PrivateRabbitMQ | None = None
        self._database: PrivatePostgres | None = None

    def run(self) -> None:
        """Start everything and keep it running until SIGINT or SIGTERM."""
        with _signals_stop():
            try:
                self._start()
                self._watch()
            except Stop:
                self._progress.say("stopping")
            finally:
                _ignore_signals()
                self._stop()

    def _start(self) -> None:
        say = self._progress.say
        self._home.enter()
        say(f"starting Linli in {self._home.folder}")
        if not is_free(self._environment.http_port):
            raise CannotStart(f"port {self._environment.http_port} is taken; set LINLI_HTTP_PORT")
        self._environment.choose_ports()
        self._begin_broker()
        self._start_database()
        say("migrations")
        self._run("migrations", "deploy.databases")
        if self._broker:
            self._broker.wait()
        say("broker topology: exchanges, queues, users and permissions")
        self._run("topology", "deploy.topology", "apply")
        if self._broker:
            self._broker.keep_declared()
        self._start_services()
        say("demo community")
        community = Demo(self._home, self._environment)
        self._home.write_ready(community.provide())
        self._announce(community)

    def _begin_broker(self) -> None:
        if self._environment.given.broker:
            return self._progress.say("RabbitMQ: the one that LINLI_AMQP_URI names")
        if not rabbitmq.is_here():
            self._progress.say("RabbitMQ: fetching it from Debian, once")
        rabbitmq.programs()
        self._progress.say("RabbitMQ: starting")
        self._broker = PrivateRabbitMQ(
            places.server_data(self._home.folder) / "rabbitmq",
            ports={name: self._home.known_port(name) or 0 for name in BROKER_PORTS},
            password=self._home.secret("rabbitmq"),
        )
        self._broker.forget_unfinished()
        return self._broker.begin()

    def _start_database(self) -> None:
        if self._environment.given.all_databases:
            return self._progress.say("PostgreSQL: as LINLI_DATABASE_URL_… name it")
        self._progress.say("PostgreSQL: starting")
        self._database = PrivatePostgres(
            places.server_data(self._home.folder) / "postgres",
            port=self._home.port("postgres"),
            password=self._home.secret("postgres"),
        )
        self._database.start()
        for name in SERVICES:
            if not self._environment.given.database(name):
                self._environment.name_database(name, self._provide(self._database, name))
        return None

    def _provide(self, server: PrivatePostgres, service: str) -> dict[str, str]:
        return server.provide(
            service,
            f"linli_{service}",
            owner_password=self._home.secret(f"owner_{service}"),
            app_password=self._home.secret(f"database_{service}"),
        )

    def _start_services(self) -> None:
        if not self._environment.given.sms:
            self._progress.say("SMS stand-in: it keeps what it is given and sends nothing")
            port = str(self._home.known_port("sms"))
            command = ["deploy.local.sms_standin", "--port", port]
            environ = self._environment.of_service("notifications")
            self._supervisor.start(self._child("sms", command, environ))
        if not self._environment.given.mail:
            self._progress.say("mail stand-in: it keeps what it is given and delivers nothing")
            environ = self._environment.of_service("notifications")
            command = mail_standin_command(self._home)
            self._supervisor.start(self._child("mail", command, environ))
        self._progress.say(f"services: {', '.join(SERVICES)}")
        for name in SERVICES:
            environ = self._environment.of_service(name)
            self._supervisor.start(self._child(name, ["chassis.runner", CLASSES[name]], environ))
        for name in SERVICES:
            self._wait_ready(name)

    def _wait_ready(self, name: str) -> None:
        port = self._home.known_port(f"health_{name}") or self._environment.http_port
        deadline = time.monotonic() + READY_WITHIN
        while missing := _missing(port):
            if time.monotonic() > deadline:
                text = f"{name} is not ready after {READY_WITHIN:.0f} s: {missing}"
                raise CannotStart(f"{text} ({self._home.log(name)})")
            self._supervisor.look()
            time.sleep(0.1)

    def _announce(self, community: Demo) -> None:
        self._progress.say("ready")
        print(f"\nLinli is ready at {self._environment.url}\n")
        print(demo.to_read(community.sign_ins()))
        print(f"For programs: {self._home.folder}/ready.json. Ctrl-C stops it.", flush=True)

    def _watch(self) -> None:
        while True:
            self._supervisor.look()
            for server in (self._broker, self._database):
                if server and not server.running:
                    start_again(server, self._progress.say)
            time.sleep(0.2)

    def _stop(self) -> None:
        self._home.forget_ready()
        self._supervisor.stop()
        for server in (self._broker, self._database):
            if server:
                server.stop()
        self._progress.say("stopped")
        self._home.leave()

    def _child(self, name: str, module: Sequence[str], environ: dict[str, str]) -> Child:
        command = [sys.executable, "-m", *module]
        return Child(name, command, self._home.log_of_a_start(name), environ, grace=12.0)

    def _run(self, name: str, module: str, *arguments: str) -> None:
        """Run a step to its end; raises Died when it fails."""
        step = self._child(name, [module, *arguments], self._environment.of_operator())
        step.start()
        while step.running:
            time.sleep(0.05)
        if step.status:
            raise Died(f"{name} failed:\n{step.tail()}")


def mail_standin_command(home: Home) -> list[str]:
    """How the stand-in for a mail server is started, on the ports that the home keeps for it."""
    ports = ["--smtp-port", str(home.known_port("smtp")), "--port", str(home.known_port("mail"))]
    return ["deploy.local.mail_standin", *ports]


def _missing(port: int) -> str | None:
    """What a service still lacks; None when it is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
            return None
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.read().decode(errors="replace")
    except OSError as error:
        return str(error)


@contextmanager
def _signals_stop() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stop

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    yield


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
