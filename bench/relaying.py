"""How fast the relay empties its outbox, beside what the broker stores of the same messages at most
when they are ready to be sent and nothing is read from a database: batches as large, each confirmed
before the next.
"""

import time
from uuid import uuid4

from pamqp import body, commands, frame, header
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from bench.ground import Ground, until
from bench.report import Bar
from chassis import topology
from chassis.outbox import wake_channel
from chassis.relay import BATCH
from tests.stack import wire
from tests.stack.stack import Stack

_TELLS = "relay"
BARS: tuple[Bar, ...] = ()
# To the log and no service: what consumers do is not the relay's.
_KEY = "bench.relayed.v1.none"
_BODY = '{"specversion":"1.0","data":{' + '"a":"0123456789",' * 50 + '"z":1}}'
_FILL = f"""
    INSERT INTO outbox (event_id, routing_key, cc, body, traceparent)
    SELECT gen_random_uuid(), '{_KEY}', '{{}}', :body, '' FROM generate_series(1, :rows)
"""  # noqa: S608
_EMPTY = "SELECT NOT EXISTS (SELECT FROM outbox)"


def measure(ground: Ground) -> None:
    """Rounds of both in turn; services that would only listen are away."""
    stack, rows = ground.stack, ground.size.rows
    for name in ("gateway", "residents", "notifications"):
        stack.stop(name)
    for _ in range(ground.size.rounds):
        relayed, raw = _relay(stack, rows), _publish(stack, rows)
        ground.report.add(_TELLS, "relay", **{"events/s": relayed})
        ground.report.add(_TELLS, "broker alone", **{"events/s": raw})
        ground.report.add(_TELLS, "share", **{"events/s": relayed / raw})
    stack.heal()


def _relay(stack: Stack, rows: int) -> float:
    engine = create_engine(stack.postgres.url("linli_tickets"), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(_FILL), {"body": _BODY, "rows": rows})
    started = time.monotonic()
    with engine.begin() as connection:
        connection.execute(text(f"NOTIFY {wake_channel('tickets')}"))
    until(lambda: bool(stack.value("tickets", _EMPTY)), lambda: "the relay is stuck")
    return rows / (time.monotonic() - started)


def _publish(stack: Stack, rows: int) -> float:
    with wire.channel(stack.rabbitmq.amqp_uri) as channel:
        batch = b"".join(_frames(channel.channel_id) for _ in range(BATCH))
        confirmed = 0

        def count(tag: int, _multiple: bool = False) -> None:
            nonlocal confirmed
            confirmed = max(confirmed, tag)

        channel.confirm_select()
        channel.events["basic_ack"].add(count)
        started = time.monotonic()
        for sent in range(BATCH, rows + 1, BATCH):
            channel.connection.transport.write(batch)
            while confirmed < sent:
                channel.connection.drain_events(timeout=10)
        return rows / (time.monotonic() - started)


def _frames(channel: int) -> bytes:
    """One message as it goes over the wire."""
    content = _BODY.encode()
    properties = commands.Basic.Properties(
        delivery_mode=2, message_id=str(uuid4()), content_type="application/json"
    )
    parts = (
        commands.Basic.Publish(0, topology.EVENTS_EXCHANGE, _KEY, mandatory=True),
        header.ContentHeader(0, len(content), properties),
        body.ContentBody(content),
    )
    return b"".join(frame.marshal(part, channel) for part in parts)
