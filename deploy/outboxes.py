"""What waits in the services' outboxes, and who is there to publish it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from chassis.relay import LOCK
from deploy import settings

EMITTING = ("residents", "tickets")
COUNTED = 10_000
"""Rows at most: a long outbox is bad news however long it is."""

_ROWS = text(
    "SELECT count(*) AS waiting,"
    " coalesce(extract(epoch FROM now() - min(created_at)), 0)::float AS oldest_seconds,"
    " (array_agg(event_id::text ORDER BY id))[1] AS first"
    " FROM (SELECT id, event_id, created_at FROM outbox ORDER BY id LIMIT :counted) AS rows"
)
# A lock on one 64-bit key is kept as its two halves; the upper one is 0.
_RELAY = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 0"
    " AND objid = :lock AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


@dataclass(frozen=True)
class Outbox:
    """A service's outbox: how many events wait, at most `COUNTED` are counted; how long the oldest
    has; its id, which is `relay_refused` in the relay's log where the broker does not take it;
    whether a relay is active.
    """

    service: str
    waiting: int
    oldest_seconds: float
    first: str | None
    relay_active: bool

    def well(self, seconds: float) -> bool:
        """Whether nothing has waited longer than that, and there is a relay."""
        return self.relay_active and self.oldest_seconds <= seconds

    @property
    def stuck(self) -> bool:
        """Whether a relay is there and does not get on: the broker is away or refuses the first."""
        return self.relay_active and self.oldest_seconds > 30

    def __str__(self) -> str:
        relay = "a relay is active" if self.relay_active else "NO RELAY IS ACTIVE"
        if not self.waiting:
            return f"{self.service}: nothing waits, {relay}"
        many = f"{self.waiting}{'+' if self.waiting == COUNTED else ''}"
        line = f"{self.service}: {many} wait, the oldest {self.oldest_seconds:.0f} s, {relay}"
        hint = f"; see relay_refused or relay_blocked in its log: {self.first}"
        return line + (hint if self.stuck else "")


def look(environ: Mapping[str, str]) -> list[Outbox]:
    """The outbox of each service that emits; raises SettingMissing, OperationalError."""
    return [_look(service, environ) for service in EMITTING]


def _look(service: str, environ: Mapping[str, str]) -> Outbox:
    with settings.connected(settings.database(service, environ)) as connection:
        rows = connection.execute(_ROWS, {"counted": COUNTED}).mappings().one()
        active = connection.scalar(_RELAY, {"lock": LOCK})
    return Outbox(service=service, relay_active=bool(active), **rows)
