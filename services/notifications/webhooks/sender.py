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
import math
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from eventlet.greenpool import GreenPool
from eventlet.greenthread import GreenThread
from eventlet.queue import Empty, LightQueue
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis import database, faultpoints, logs, metrics, pool, trace
from chassis.clock import now
from chassis.process import die_with_parent
from services.notifications.settings import NotificationsSettings
from services.notifications.spans import outgoing, tell
from services.notifications.webhooks import claims, handshakes, records, resealing, returning
from services.notifications.webhooks.handshakes import Asked
from services.notifications.webhooks.outcome import Reason, Result
from services.notifications.webhooks.sealing import Seal
from services.notifications.webhooks.sending import FORMATS, Carrier, Claimed, Outgoing
from services.notifications.webhooks.settings import WebhookSettings

log = logs.get("webhooks")

# Seconds: how long to look away when nothing is due; how long results are gathered; after trouble;
# with a key that opens nothing.
_POLL, _GATHER, _AGAIN, _FOREIGN = 0.5, 0.01, 1.0, 60.0
# Seconds before its end in which a sender that stops gives back what is still on its way.
_RESERVE = 1.5
# Of what is recorded in one transaction.
_MOST = 100
# Of an error that nobody foresaw, as many are logged.
_LINES = 6


class Sender:
    """Takes deliveries on until it is told to stop; then it has `grace` seconds."""

    def __init__(self, engine: Engine, settings: WebhookSettings, grace: float) -> None:
        self._engine = engine
        self._settings = settings
        self._grace = grace
        self._seal = Seal(*settings.keys)
        self._carrier = Carrier(settings.networks, settings.ca_file, settings.timeout)
        self._pool = GreenPool(settings.slots)
        self._hands: dict[GreenThread, Claimed | Asked] = {}
        self._ended: LightQueue = LightQueue()
        self._idle = self._stopping = False
        self._trusted = False
        self._looks_again_at = 0.0
        self._ends_at = math.inf

    def stop(self, *_: Any) -> None:
        """Claim nothing more, and return from `run` once what is on its way is recorded, or given
        back for want of time.
        """
        if not self._stopping:
            self._stopping, self._ends_at = True, time.monotonic() + self._grace

    def run(self) -> None:
        """Work, or look for work; a database that is away is waited for."""
        unrecorded: list[Any] = []
        while not self._may_end(unrecorded):
            try:
                unrecorded += self._gather()
                self._record(unrecorded)
                unrecorded = []
                self._idle = not self._go_on()
            except SQLAlchemyError as error:
                if not database.is_infrastructure(error):
                    raise
                log.warning("sender_without_database", error=type(error).__name__)
                eventlet.sleep(_AGAIN)
        self._carrier.close()

    def _may_end(self, unrecorded: list[Any]) -> bool:
        if not self._stopping:
            return False
        at_hand = self._hands or unrecorded or not self._ended.empty()
        return not at_hand or time.monotonic() > self._ends_at

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

    def _go_on(self) -> bool:
        """Take up more, or see to it that nothing is left when time is up; whether there was."""
        if not self._stopping:
            return self._begin()
        if self._hands and time.monotonic() > self._ends_at - _RESERVE:
            self._give_back()
        return False

    def _begin(self) -> bool:
        """Claim what is due, as far as there are slots, and set it going; whether there was."""
        slots = self._pool.free()
        if slots <= 0 or not self._trusts_its_key() or (self._idle and not self._anything_waits()):
            return False
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            terms = self._settings.terms
            asked = handshakes.claim(session, now(), slots, terms.lease)
            taken = claims.claim(session, self._seal, now(), slots - len(asked), terms)
        faultpoints.reach("webhook.claimed")
        hands: list[Claimed | Asked] = [*asked, *taken]
        for hand in hands:
            self._hands[self._pool.spawn(self._carry, hand)] = hand
        return bool(hands)

    def _anything_waits(self) -> bool:
        with pool.singly(self._engine) as connection:
            return claims.anything_waits(connection)

    def _trusts_its_key(self) -> bool:
        """Not as long as it opens nothing of what is sealed: it is the wrong one, and every
        endpoint would be disabled for that, and its owner told.
        """
        if not self._trusted and time.monotonic() >= self._looks_again_at:
            with Session(self._engine) as session:
                self._trusted = not resealing.opens_nothing(session, self._settings.keys)
            metrics.WEBHOOK_KEY_FOREIGN.set(not self._trusted)
            if not self._trusted:
                log.error("webhook_key_opens_nothing")
                self._looks_again_at = time.monotonic() + _FOREIGN
        return self._trusted

    def _carry(self, hand: Claimed | Asked) -> None:
        if isinstance(hand, Asked):
            result = self._attempt(hand)
        else:
            result = self._deliver(hand)
            faultpoints.reach("webhook.sent")
            log.info("webhook_attempted", **_ids(hand), reason=result.reason, status=result.status)
            metrics.DELIVERIES.labels(hand.format, result.reason).inc()
        del self._hands[eventlet.getcurrent()]
        self._ended.put((hand, result, _chance()))

    def _deliver(self, claimed: Claimed) -> Result:
        with outgoing(claimed.format, claimed.traceparent) as span:
            result = self._attempt(claimed)
            tell(span, result.reason, result.status)
        return result

    def _attempt(self, hand: Claimed | Asked) -> Result:
        try:
            return self._carrier.send(self._request(hand))
        except Exception as error:  # noqa: BLE001 - the last resort: it counts, as any failure does
            # An error's own words may hold an address, and with it a robot's key.
            said = {"error": type(error).__name__, "where": _where(error)}
            log.error("webhook_not_foreseen", **_ids(hand), **said)  # noqa: TRY400 - as above
            return Result(Reason.SENDER_FAILED)

    def _request(self, hand: Claimed | Asked) -> Outgoing:
        if isinstance(hand, Asked):
            return handshakes.question(hand, self._settings.origin)
        return FORMATS[hand.format](hand, now())

    def _give_back(self) -> None:
        """Let go of what will not end in time, for whoever looks next to take up at once."""
        for thread in list(self._hands):
            thread.kill()
        hands = list(self._hands.values())
        with Session(self._engine) as session, session.begin():
            returning.give_back(session, hands, now())
        for hand in hands:
            log.info("webhook_given_back", **_ids(hand))
        self._hands.clear()

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


def _ids(hand: Claimed | Asked) -> dict[str, Any]:
    """What a line of the log names."""
    if isinstance(hand, Asked):
        return {"endpoint_id": str(hand.endpoint), "handshake": hand.number}
    return {
        "delivery_id": str(hand.id),
        "endpoint_id": str(hand.endpoint),
        "event_id": str(hand.event),
        "claim": hand.claim,
    }


def _where(error: Exception) -> list[str]:
    """The last lines of the code that the error came by."""
    frames = traceback.extract_tb(error.__traceback__)[-_LINES:]
    return [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]


def _chance() -> float:
    return random.random()  # noqa: S311 - it scatters retries, it hides nothing


def main(service: str, parent: int) -> None:
    """Run the sender until SIGTERM, or until the runner that started it ends."""
    die_with_parent(parent)
    settings = NotificationsSettings.load(service)
    logs.configure(f"{service}-webhooks", settings.log_level)
    trace.begin(f"{service}-webhooks", settings)
    engine = database.make_engine(settings, pool_size=1)
    sender = Sender(engine, settings.webhooks, settings.grace)
    signal.signal(signal.SIGTERM, sender.stop)
    signal.signal(signal.SIGINT, sender.stop)
    sys.excepthook = lambda *error: log.error("sender_failed", exc_info=error)
    log.info("sender_started", pid=os.getpid())
    sender.run()
    trace.end()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
