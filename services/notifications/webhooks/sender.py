"""The sender: hands deliveries over. A process of its own beside the service's workers, so that
slow receivers slow nobody else down; every replica has one, and they share the work.

It is one loop that waits for no round to end: while there are free slots it claims what is due,
each delivery is carried in a greenthread of its own, and what has ended is recorded together.
"""

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet

if __name__ == "__main__":  # whoever only imports this module wants to stay as they are
    eventlet.monkey_patch(all=True, psycopg=True)

# ruff: noqa: E402 - everything else is imported patched
import os
import random
import signal
import sys
from collections.abc import Callable
from typing import Any

from eventlet.greenpool import GreenPool
from eventlet.queue import Empty, LightQueue
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis import database, faultpoints, logs
from chassis.clock import now
from chassis.process import die_with_parent
from services.notifications.settings import NotificationsSettings
from services.notifications.webhooks import claims, handshakes, records
from services.notifications.webhooks.handshakes import Asked
from services.notifications.webhooks.outcome import Result
from services.notifications.webhooks.sealing import Seal
from services.notifications.webhooks.sending import FORMATS, Carrier, Claimed
from services.notifications.webhooks.settings import WebhookSettings

log = logs.get("webhooks")

# Seconds: how long to look away when nothing is due; how long results are gathered; after trouble.
_POLL, _GATHER, _AGAIN = 0.5, 0.01, 1.0
# Of what is recorded in one transaction.
_MOST = 100


class Sender:
    """Takes deliveries on until it is told to stop."""

    def __init__(self, engine: Engine, settings: WebhookSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._seal = Seal(settings.key)
        self._carrier = Carrier(settings.networks, settings.ca_file, settings.timeout)
        self._pool = GreenPool(settings.slots)
        self._ended: LightQueue = LightQueue()
        self._stopping = False

    def stop(self, *_: Any) -> None:
        """Claim nothing more, and return from `run` once what is on its way is recorded."""
        self._stopping = True

    def run(self) -> None:
        """Work, or look for work; a database that is away is waited for."""
        unrecorded: list[Callable[[Session], None]] = []
        while not self._stopping or self._pool.running() or not self._ended.empty():
            try:
                unrecorded += self._gather()
                self._record(unrecorded)
                unrecorded = []
                self._idle = self._stopping or not self._begin()
            except SQLAlchemyError as error:
                if not database.is_infrastructure(error):
                    raise
                log.warning("sender_without_database", error=type(error).__name__)
                eventlet.sleep(_AGAIN)
        self._carrier.close()

    _idle = False

    def _gather(self) -> list[Any]:
        """What has ended, once something has, or it is time to look for work again."""
        found = []
        try:
            found.append(self._ended.get(timeout=_POLL if self._idle else _GATHER))
            eventlet.sleep(_GATHER)
            while len(found) < _MOST:
                found.append(self._ended.get_nowait())
        except Empty:
            pass
        return found

    def _begin(self) -> bool:
        """Claim what is due, as far as there are slots, and set it going; whether there was."""
        slots = self._pool.free()
        if slots <= 0:
            return False
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            terms = self._settings.terms
            asked = handshakes.claim(session, now(), slots, terms.lease)
            taken = claims.claim(session, self._seal, now(), slots - len(asked), terms)
        faultpoints.reach("webhook.claimed")
        for each in asked:
            self._pool.spawn_n(self._ask, each)
        for claimed in taken:
            self._pool.spawn_n(self._carry, claimed)
        return bool(asked or taken)

    def _carry(self, claimed: Claimed) -> None:
        result = self._carrier.send(FORMATS[claimed.format](claimed, now()))
        faultpoints.reach("webhook.sent")
        log.info(
            "webhook_attempted",
            delivery_id=str(claimed.id),
            endpoint_id=str(claimed.endpoint),
            event_id=str(claimed.event),
            claim=claimed.claim,
            reason=result.reason,
            status=result.status,
        )
        self._ended.put((claimed, result, _chance()))

    def _ask(self, asked: Asked) -> None:
        result = self._carrier.send(handshakes.question(asked, self._settings.origin))
        self._ended.put((asked, result, _chance()))

    def _record(self, ended: list[Any]) -> None:
        if not ended:
            return
        settings = self._settings
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            done = [each for each in ended if isinstance(each[0], Claimed)]
            records.record(session, done, settings.patience, now())
            for asked, result, chance in ended:
                if isinstance(asked, Asked):
                    self._note(session, asked, result, chance)

    def _note(self, session: Session, asked: Asked, result: Result, chance: float) -> None:
        handshakes.record(
            session,
            asked,
            result,
            origin=self._settings.origin,
            schedule=self._settings.patience.schedule,
            at=now(),
            chance=chance,
        )


def _chance() -> float:
    return random.random()  # noqa: S311 - it scatters retries, it hides nothing


def main(service: str, parent: int) -> None:
    """Run the sender until SIGTERM, or until the runner that started it ends."""
    die_with_parent(parent)
    settings = NotificationsSettings.load(service)
    logs.configure(f"{service}-webhooks", settings.log_level)
    engine = database.make_engine(settings, pool_size=1)
    sender = Sender(engine, settings.webhooks)
    signal.signal(signal.SIGTERM, sender.stop)
    signal.signal(signal.SIGINT, sender.stop)
    sys.excepthook = lambda *error: log.error("sender_failed", exc_info=error)
    log.info("sender_started", pid=os.getpid())
    sender.run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
