"""Starts a service and ends it: waits for its servers, runs it with its relay and what else works
beside it, and stops within its grace period come what may.

`python -m chassis.runner services.tickets.service:TicketsService`
"""

import warnings

# eventlet says at import that it is in maintenance mode: known, and the domain is kept free of it.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet

# Without `all`, naming one module would leave every other unpatched.
eventlet.monkey_patch(all=True, psycopg=True)

# ruff: noqa: E402 - everything else is imported patched
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from chassis import metrics_folder

if __name__ == "__main__":
    # Before anything counts: what follows is imported into it.
    metrics_folder.begin()

from sqlalchemy.exc import SQLAlchemyError

from chassis import consumer, database, health, logs, metrics, migrate, topology, trace
from chassis.broker import LOST, backoff, close, connect
from chassis.container import Container
from chassis.process import die_with_parent
from chassis.settings import ServiceSettings, SettingsError

log = logs.get("runner")

EXIT_SETTINGS, EXIT_DIED, EXIT_KILLED = 78, 70, 75
# Seconds: for one look at a server while starting, and after the grace period for the rest.
_LOOK, _LAST_SECOND = 5.0, 1.5
# Of that, for the relay to finish its batch.
_LAST_BATCH = 1.0


class NotReady(Exception):
    """A server that the service needs is not there yet; the message says which."""


class Runner:
    """One service in this process, and in others what works beside it: its relay, and the modules
    that the service class names in `beside`.
    """

    def __init__(self, service_path: str) -> None:
        self._path = service_path
        module, _, name = service_path.partition(":")
        self._service_cls = getattr(import_module(module), name)
        self.settings = settings_of(self._service_cls)
        self._container = Container(self._service_cls, nameko_config(self.settings))
        self._relay = ["chassis.relay"] if getattr(self._service_cls, "emits", False) else []
        self._helpers = [*getattr(self._service_cls, "beside", ())]
        self._beside: dict[str, subprocess.Popen[bytes]] = {}
        self._asked_to_stop = False

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; the exit code."""
        logs.configure(self.settings.service, self.settings.log_level)
        trace.begin(self.settings.service, self.settings)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        # Should even the hub hang, the alarm ends us: it needs nothing of ours to work.
        signal.signal(signal.SIGALRM, lambda *_: os._exit(EXIT_KILLED))
        if not self._wait_for_servers():
            return 0
        self._container.start()
        # What is there by now stays. A full collection that looked at it, too, would keep everybody
        # waiting for a quarter of a second.
        gc.collect()
        gc.freeze()
        died = eventlet.spawn(self._container.wait)
        log.info("service_started", pid=os.getpid())
        while not self._asked_to_stop and not died.dead:
            self._keep_beside()
            eventlet.sleep(0.1)
        if died.dead and not self._asked_to_stop:
            log.error("service_died")
            self._tell_to_end(self._helpers)
            self._end_beside(time.monotonic() + _LAST_BATCH)
            return EXIT_DIED
        return self._stop()

    def _ask_to_stop(self, *_: Any) -> None:
        if not self._asked_to_stop:
            self._asked_to_stop = True
            signal.setitimer(signal.ITIMER_REAL, self.settings.grace + _LAST_SECOND)

    def _wait_for_servers(self) -> bool:
        """Until broker, database, schema and queues are there; false when asked to stop
        meanwhile.
        """
        engine = database.make_engine(self.settings, pool_size=1)
        checks: list[Callable[[], None]] = [
            lambda: _broker_answers(self.settings, self._service_cls),
            lambda: _database_answers(self._path, engine),
        ]
        pauses = backoff()
        while checks and not self._asked_to_stop:
            try:
                with eventlet.Timeout(_LOOK, NotReady("an answer")):
                    checks[0]()
                checks.pop(0)
            except NotReady as missing:
                log.info("waiting", reason=str(missing))
                eventlet.sleep(next(pauses))
        engine.dispose()
        return not self._asked_to_stop

    def _keep_beside(self) -> None:
        for module in (*self._relay, *self._helpers):
            process = self._beside.get(module)
            if process is not None and process.poll() is None:
                continue
            if process is not None:
                name = module.rpartition(".")[2]
                log.error(f"{name}_died", code=process.returncode)
                metrics.HELPERS_DIED.labels(name).inc()
                eventlet.sleep(0.5)
            self._beside[module] = subprocess.Popen(
                [sys.executable, "-m", module, self.settings.service, str(os.getpid())]
            )

    def _stop(self) -> int:
        log.info("stopping")
        health.start_draining()
        ends_at = time.monotonic() + self.settings.grace
        # They take up nothing new either, and finish what they have while the workers do.
        self._tell_to_end(self._helpers)
        stopped = False
        with eventlet.Timeout(self.settings.grace, False):
            self._container.stop()
            stopped = True
        self._end_beside(ends_at)
        if not stopped:
            log.warning("stopped_by_force")
            return EXIT_KILLED
        log.info("stopped")
        return 0

    def _end_beside(self, ends_at: float) -> None:
        """End what works beside us, now that the workers have; helpers have until `ends_at`.

        The relay goes last: whatever the others committed as they finished is an event that it
        still has to publish, or that waits for the next start.
        """
        self._wait_for(self._helpers, ends_at)
        self._tell_to_end(self._relay)
        self._wait_for(self._relay, time.monotonic() + _LAST_BATCH)

    def _tell_to_end(self, modules: Sequence[str]) -> None:
        for process in self._running(modules):
            process.terminate()

    def _wait_for(self, modules: Sequence[str], ends_at: float) -> None:
        for process in self._running(modules):
            try:
                process.wait(max(0.0, ends_at - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()

    def _running(self, modules: Sequence[str]) -> list[subprocess.Popen[bytes]]:
        started = [self._beside[module] for module in modules if module in self._beside]
        return [process for process in started if process.poll() is None]


def settings_of(service_cls: Any) -> ServiceSettings:
    """The settings of a service, read from the environment; exits with 78 naming the variable at
    fault.
    """
    settings_cls = getattr(service_cls, "settings_class", ServiceSettings)
    try:
        settings: ServiceSettings = settings_cls.load(service_cls.name)
    except SettingsError as error:
        sys.stderr.write(f"{service_cls.name} cannot start: {error}\n")
        sys.exit(EXIT_SETTINGS)
    return settings


def nameko_config(settings: ServiceSettings) -> dict[str, Any]:
    """What nameko's container and our extensions read."""
    return {
        "AMQP_URI": settings.amqp_uri,
        "max_workers": settings.workers,
        "settings": settings,
    }


def _broker_answers(settings: ServiceSettings, service_cls: Any) -> None:
    queues = [topology.rpc_queue(settings.service)]
    queues += [queue for queue, _ in consumer.consumers_of(service_cls)]
    try:
        connection = connect(settings.amqp_uri)
        try:
            channel = connection.channel()
            for queue in queues:
                channel.queue_declare(queue, passive=True)
        finally:
            close(connection)
    except LOST as error:
        raise NotReady(f"broker or its topology ({type(error).__name__})") from error


def _database_answers(path: str, engine: Any) -> None:
    package = path.partition(":")[0].rpartition(".")[0]
    try:
        if migrate.behind(package, engine):
            raise NotReady("migrations of the database")
    except SQLAlchemyError as error:
        raise NotReady(f"database ({type(error).__name__})") from error


if __name__ == "__main__":
    if "LINLI_PARENT" in os.environ:
        die_with_parent(int(os.environ["LINLI_PARENT"]))
    code = Runner(sys.argv[1]).run()
    trace.end()
    metrics_folder.end()
    sys.stderr.flush()
    # Not sys.exit: a greenthread that will not end must not keep the process.
    os._exit(code)
