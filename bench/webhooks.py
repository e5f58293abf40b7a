"""Ten thousand deliveries to a hundred endpoints, three of them dead: how fast, how much memory,
what the dead cost the living, and what a second replica brings.

`make webhooks-bench`: a PostgreSQL and receivers of its own on loopback, and real senders.
"""

import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from chassis import migrate
from chassis.clock import now
from chassis.ids import new_id
from deploy.local import places, ports
from deploy.local.servers import FLEETING, PrivatePostgres
from services.notifications.webhooks.models import Delivery, Endpoint, Event, Secret
from services.notifications.webhooks.sealing import Seal
from services.notifications.webhooks.signing import new_secret

ENDPOINTS, EACH, DEAD = 100, 100, 3
_KEY = bytes(range(32))
_BODY = '{"specversion":"1.0","data":{' + '"a":"0123456789",' * 50 + '"z":1}}'


@dataclass(frozen=True)
class Figures:
    """Of one run: seconds until the living had everything, and of processor time that it took the
    senders, which a busy machine does not change; the largest sender, in MiB.
    """

    seconds: float
    processor: float
    delivered: int
    memory: float
    twice: int
    shares: tuple[int, ...]


def main() -> None:
    """Run every case and print it."""
    with ExitStack() as stack:
        engine, environ = stack.enter_context(_database())
        port = ports.free_port()
        stack.enter_context(_running(["bench.receivers", str(port)], {}))
        # What is measured is a steady state: the first run warms the database.
        _tell("warm-up, none dead", _measure(engine, environ, port, dead=0, replicas=1))
        living = _measure(engine, environ, port, dead=0, replicas=1)
        _tell("none dead, one replica", living)
        mixed = _measure(engine, environ, port, dead=DEAD, replicas=1)
        _tell(f"{DEAD} dead, one replica", mixed)
        two = _measure(engine, environ, port, dead=DEAD, replicas=2)
        _tell(f"{DEAD} dead, two replicas", two)
    for name in ("seconds", "processor"):
        before, after = (getattr(each, name) / each.delivered for each in (living, mixed))
        _say(f"with the dead a delivery to the living takes {after / before - 1:+.1%} {name}")
    _say(f"two replicas are {mixed.seconds / two.seconds:.2f} times as fast as one")


def _tell(case: str, figures: Figures) -> None:
    rate = figures.delivered / figures.seconds
    _say(
        f"{case}: {figures.delivered} delivered in {figures.seconds:.1f} s, {rate:.0f}/s; "
        f"{figures.processor / figures.delivered * 1000:.1f} ms of processor each; "
        f"{figures.memory:.0f} MiB at most; {figures.twice} twice; shares {figures.shares}"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _measure(
    engine: Engine, environ: Mapping[str, str], port: int, *, dead: int, replicas: int
) -> Figures:
    _fill(engine, port, dead)
    expected = (ENDPOINTS - dead) * EACH
    command = ["services.notifications.webhooks.sender", "notifications", str(os.getpid())]
    memory = 0.0
    with ExitStack() as stack:
        senders = [stack.enter_context(_running(command, environ)) for _ in range(replicas)]
        while not _delivered(engine):
            time.sleep(0.01)
        started, before = time.monotonic(), sum(_processor(process) for process, _ in senders)
        while _delivered(engine) < expected:
            memory = max(memory, *(_memory(process) for process, _ in senders))
            time.sleep(0.1)
        seconds = time.monotonic() - started
        processor = sum(_processor(process) for process, _ in senders) - before
        logs = [path.read_text() for _, path in senders]
    sent = [log.count('"reason": "delivered"') for log in logs]
    return Figures(seconds, processor, expected, memory, sum(sent) - expected, tuple(sent))


def _memory(process: subprocess.Popen[bytes]) -> float:
    return float(psutil.Process(process.pid).memory_info().rss) / 2**20


def _processor(process: subprocess.Popen[bytes]) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


def _delivered(engine: Engine) -> int:
    with Session(engine) as session:
        done = select(func.count()).where(Delivery.state == "delivered")
        return session.scalar(done) or 0


def _fill(engine: Engine, port: int, dead: int) -> None:
    """A hundred events, each for every endpoint, all due."""
    seal, at = Seal(_KEY), now()
    with Session(engine) as session, session.begin():
        tables = "webhook_attempt, webhook_delivery, webhook_event, webhook_secret"
        session.execute(text(f"TRUNCATE {tables}, webhook_endpoint"))
        endpoints = [new_id() for _ in range(ENDPOINTS)]
        session.add_all(_endpoint(id, port, n, n < dead, at) for n, id in enumerate(endpoints))
        session.flush()
        session.add_all(
            Secret(
                id=new_id(),
                endpoint=id,
                command=new_id(),
                sealed=seal.close(id, new_secret()),
                created_at=at,
            )
            for id in endpoints
        )
        events = [_event(at) for _ in range(EACH)]
        session.add_all(events)
        session.flush()
        session.add_all(_delivery(id, event, at) for event in events for id in endpoints)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _endpoint(id: Any, port: int, number: int, dead: bool, at: Any) -> Endpoint:
    return Endpoint(
        id=id,
        command=new_id(),
        format="standard",
        url=f"http://127.0.0.1:{port}/{'dead/' if dead else ''}{number}",
        label="",
        types=[],
        ordered=False,
        rate=60_000,
        handshake=False,
        state="active",
        tokens=1000.0,
        **dict.fromkeys(("ready_at", "tokens_at", "served_at", "created_at"), at),
    )


def _event(at: Any) -> Event:
    event = "linli.tickets.ticket_filed.v1"
    return Event(
        id=new_id(), type=event, subject=str(new_id()), sequence=1, body=_BODY, created_at=at
    )


def _delivery(endpoint: Any, event: Event, at: Any) -> Delivery:
    return Delivery(
        id=new_id(),
        endpoint=endpoint,
        event=event.id,
        type=event.type,
        subject=event.subject,
        sequence=1,
        state="queued",
        next_attempt_at=at,
        created_at=at,
    )


@contextmanager
def _database() -> Iterator[tuple[Engine, dict[str, str]]]:
    server = PrivatePostgres(places.scratch() / "postgres", settings=FLEETING)
    server.start()
    try:
        urls = server.create_service_database("notifications")
        user = make_url(urls["app_url"]).username or ""
        migrate.upgrade("services.notifications", urls["owner_url"], user)
        engine = create_engine(urls["owner_url"])
        yield engine, _environ(urls["app_url"])
        engine.dispose()
    finally:
        server.kill()


def _environ(url: str) -> dict[str, str]:
    return {
        "LINLI_AMQP_URI": "amqp://nobody@127.0.0.1/",
        "LINLI_DATABASE_URL_NOTIFICATIONS": url,
        "LINLI_SMS_URL": "http://127.0.0.1/",
        "LINLI_SMS_TOKEN": "nobody's",
        "LINLI_WEBHOOK_KEY": base64.b64encode(_KEY).decode(),
        "LINLI_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
    }


@contextmanager
def _running(
    arguments: list[str], environ: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    path = places.scratch() / "log"
    with path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env={**os.environ, **environ},
            stdout=log,
            stderr=log,
        )
        try:
            yield process, path
        finally:
            process.kill()
            process.wait(5)


if __name__ == "__main__":
    main()
