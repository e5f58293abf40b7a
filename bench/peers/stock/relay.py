"""The relay: `python -m bench.peers.stock --config … bench.peers.stock.relay`."""

from nameko.events import EventDispatcher
from nameko.timer import timer
from sqlalchemy import delete, select

from bench.peers.stock.database import DatabaseSession
from bench.peers.tables import Outbox, Tickets

BATCH, POLL = 100, 0.1


class RelayService:
    """Publishes what the outbox holds; nameko's dispatcher waits for each confirm."""

    name = "relay"
    db = DatabaseSession(Tickets)
    dispatch = EventDispatcher()

    @timer(interval=POLL)
    def forward(self) -> None:
        """Until nothing is left."""
        while self._forward() == BATCH:
            pass

    def _forward(self) -> int:
        rows = self.db.scalars(select(Outbox).order_by(Outbox.id).limit(BATCH)).all()
        for row in rows:
            self.dispatch(row.routing_key, row.body)
        if rows:
            self.db.execute(delete(Outbox).where(Outbox.id.in_([row.id for row in rows])))
        self.db.commit()
        return len(rows)
