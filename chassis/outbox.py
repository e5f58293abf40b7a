"""The outbox: an event is stored in the transaction that caused it, and leaves through the relay
alone.

Rows are published in the order of `id` and then deleted. Whoever writes events of one aggregate
holds a lock on it, so that its events get their ids in the order in which they happened.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    MetaData,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Session

from chassis import faultpoints, gathering

metadata = MetaData()

LARGEST = 256 * 1024
"""Bytes of a body. A row that cannot be published would stop all that come after it, so the table
takes none.
"""

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    Column("routing_key", Text, nullable=False),
    # Further keys that RabbitMQ routes the same message by, once per queue.
    Column("cc", ARRAY(Text), nullable=False, server_default="{}"),
    Column("body", Text, nullable=False),
    Column("traceparent", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("octet_length(routing_key) <= 255", "outbox_key_fits"),
    CheckConstraint("octet_length(array_to_string(cc, '')) <= 4096", "outbox_cc_fits"),
    CheckConstraint(f"octet_length(body) <= {LARGEST}", "outbox_body_fits"),
)


def wake_channel(service: str) -> str:
    """The notification channel on which a service's relay is woken."""
    return f"outbox_{service}"


def add(
    session: Session, *, event_id: str, routing_key: str, cc: list[str], body: str, traceparent: str
) -> None:
    """Store one message for the relay. It is published only if the session's transaction
    commits.
    """
    row = {"event_id": event_id, "routing_key": routing_key, "cc": cc, "body": body}
    gathering.insert(session, outbox, row | {"traceparent": traceparent})
    session.info["wake_relay"] = True
    faultpoints.reach("outbox.stored")
