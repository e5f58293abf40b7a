"""Endpoints, events and senders of the tests of webhooks."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from chassis.call import Actor, Call, Grant
from chassis.clock import now
from chassis.events import CloudEvent
from chassis.ids import new_id
from services.notifications.settings import NotificationsSettings
from services.notifications.webhooks import arrivals, claims, endpoints
from services.notifications.webhooks.models import Attempt, Delivery, Endpoint
from services.notifications.webhooks.outcome import Reason, Result
from services.notifications.webhooks.records import record
from services.notifications.webhooks.schemas import ChangeWebhook, MakeWebhook
from services.notifications.webhooks.sealing import Seal
from services.notifications.webhooks.settings import WebhookSettings
from tests.integration.notifications.world import TicketStory, on_the_wire

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OPERATIONS = frozenset({"webhooks.read", "webhooks.write"})


def administrator() -> Call:
    """A call of who may see and change everybody's."""
    person = Actor(str(new_id()), "person")
    return Call(person, (Grant("any", OPERATIONS),), command_id=str(new_id()))


def department(code: str, kind: str = "department") -> Call:
    """A call of a department's key, or of a clerk of it."""
    actor = Actor(code if kind == "department" else str(new_id()), kind)
    grants = (Grant(f"department:{code}", OPERATIONS),)
    return Call(actor, grants, command_id=str(new_id()))


def told(event: CloudEvent) -> CloudEvent:
    """The event with its text, as the bus would bring it."""
    return replace(event, body=json.dumps(on_the_wire(event), ensure_ascii=False))


def duty(person: UUID, code: str, sequence: int = 1, **own: Any) -> CloudEvent:
    """That somebody works for a department."""
    data = {
        "duty": str(uuid4()),
        "person": str(person),
        "role": "department_clerk",
        "area": None,
        "department": code,
        "from": "2026-01-01",
        "to": None,
        **own,
    }
    return CloudEvent(
        id=str(uuid4()),
        type="linli.residents.duty_started.v1",
        source="/residents",
        subject=data["duty"],
        time=now(),
        sequence=sequence,
        data=data,
    )


class World:
    """A database in which endpoints get events."""

    def __init__(self, engine: Engine, environ: Mapping[str, str]) -> None:
        self.engine = engine
        self.environ = dict(environ)
        with Session(engine) as session, session.begin():
            session.execute(text("UPDATE webhook_endpoint SET deleted_at = now()"))

    @property
    def settings(self) -> WebhookSettings:
        return NotificationsSettings.load("notifications", self.environ).webhooks

    @property
    def seal(self) -> Seal:
        return Seal(*self.settings.keys)

    def claim(self, session: Session, at: datetime | None = None) -> list[claims.Claimed]:
        """What a sender would take now, or then: all of it."""
        return claims.claim(session, self.seal, at or now(), 1000, self.settings.terms)

    def settle(self, session: Session, claimed: list[claims.Claimed], reason: Reason) -> int:
        """Record how it ended; of how many it was still the sender's to say."""
        done = [(each, Result(reason, status=200), 0.5) for each in claimed]
        return record(session, done, self.settings.patience, now())

    def endpoint(self, url: str, call: Call | None = None, **wanted: Any) -> "Watched":
        """An endpoint, made as its owner would."""
        asked = MakeWebhook().load({"url": url, **wanted})
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            made = endpoints.make(
                session,
                call or administrator(),
                asked,
                seal=self.seal,
                settings=self.settings,
                at=now(),
            )
        # A robot has none of ours.
        secret = made["secret"]["secret"] if made["secret"] else ""
        return Watched(self, UUID(made["id"]), secret)

    def change(self, endpoint: "Watched", call: Call | None = None, **wanted: Any) -> Any:
        """Change an endpoint as its owner would; the answer."""
        asked = ChangeWebhook().load({"id": str(endpoint.id), **wanted})
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            return endpoints.change(
                session,
                call or administrator(),
                asked,
                seal=self.seal,
                settings=self.settings,
                at=now(),
            )

    def arrive(self, *events: CloudEvent) -> None:
        """Let events arrive, as the consumer takes them."""
        with Session(self.engine) as session, session.begin():
            for event in events:
                arrivals.keep(session, event if event.body else told(event), now())

    def filed(self, **facts: Any) -> CloudEvent:
        """A ticket's first event, which has arrived."""
        event = told(TicketStory(**facts).event("filed"))
        self.arrive(event)
        return event

    def sender(self, hosts: Path | None = None, **environ: str) -> "SenderProcess":
        """A sender, as the runner starts it; names may be looked up in other `hosts`."""
        return SenderProcess({**self.environ, **environ}, hosts)


class Watched:
    """An endpoint, seen through the database."""

    def __init__(self, world: World, key: UUID, secret: str) -> None:
        self._world = world
        self.id = key
        self.secret = secret

    @property
    def row(self) -> Endpoint:
        with Session(self._world.engine, expire_on_commit=False) as session:
            return session.get_one(Endpoint, self.id)

    def change(self, **values: Any) -> None:
        """Change its row, as time would."""
        with Session(self._world.engine) as session, session.begin():
            endpoint = session.get_one(Endpoint, self.id)
            for name, value in values.items():
                setattr(endpoint, name, value)

    @property
    def deliveries(self) -> list[Delivery]:
        query = select(Delivery).where(Delivery.endpoint == self.id)
        with Session(self._world.engine) as session:
            return list(session.scalars(query.order_by(Delivery.created_at, Delivery.id)))

    @property
    def states(self) -> list[str]:
        return [delivery.state for delivery in self.deliveries]

    @property
    def attempts(self) -> list[Attempt]:
        query = select(Attempt).join(Delivery, Delivery.id == Attempt.delivery)
        with Session(self._world.engine) as session:
            ours = query.where(Delivery.endpoint == self.id)
            return list(session.scalars(ours.order_by(Attempt.at, Attempt.number)))

    @property
    def reasons(self) -> list[str]:
        return [attempt.reason for attempt in self.attempts]


MODULE = "services.notifications.webhooks.sender"
# As `python -m`, on a machine with another /etc/hosts: the resolver is eventlet's.
_ELSEWHERE = f"""
import runpy, sys
from eventlet.support import greendns
greendns.resolver = greendns.ResolverProxy(greendns.HostsResolver(sys.argv.pop(1)))
runpy.run_module({MODULE!r}, run_name="__main__", alter_sys=True)
"""


class SenderProcess:
    """The sender as a process of its own. Leaving the context ends it for sure."""

    def __init__(self, environ: Mapping[str, str], hosts: Path | None = None) -> None:
        self._program = ["-m", MODULE] if hosts is None else ["-c", _ELSEWHERE, str(hosts)]
        self._environ = {**os.environ, **environ}
        self._log = tempfile.NamedTemporaryFile(mode="w+", suffix=".log")  # noqa: SIM115
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                *(sys.executable, *self._program),
                *("notifications", str(os.getpid())),
            ],
            env=self._environ,
            stdout=self._log,
            stderr=self._log,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(5)
        self._log.close()

    @property
    def log(self) -> str:
        return Path(self._log.name).read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def wait(self, within: float = 10) -> int:
        assert self._process is not None
        return self._process.wait(within)

    def ask_to_stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def stop(self, within: float = 10) -> int:
        self.ask_to_stop()
        return self.wait(within)


URL = "https://hooks.example.org/linli"
LONG_AGO = timedelta(days=5, minutes=1)
