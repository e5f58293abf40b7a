"""The relay: `python -m bench.peers.modern.relay`."""

import asyncio
import json
import os

import aio_pika
import uvloop
from aio_pika.abc import AbstractExchange
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bench.peers.tables import Outbox

BATCH, POLL = 100, 0.1

_engine = create_async_engine(os.environ["TICKETS_DATABASE_URL"], pool_size=1)
Session = async_sessionmaker(_engine, expire_on_commit=False)


async def main() -> None:
    """Publish what the outbox holds, again and again."""
    connection = await aio_pika.connect_robust(os.environ["AMQP_URI"])
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        events = await channel.get_exchange(os.environ["EVENTS_EXCHANGE"])
        while True:
            async with Session.begin() as session:
                moved = await _forward(session, events)
            if moved < BATCH:
                await asyncio.sleep(POLL)


async def _forward(session: AsyncSession, events: AbstractExchange) -> int:
    rows = (await session.scalars(select(Outbox).order_by(Outbox.id).limit(BATCH))).all()
    if rows:
        await asyncio.gather(
            *(events.publish(_message(row), routing_key=row.routing_key) for row in rows)
        )
        await session.execute(delete(Outbox).where(Outbox.id.in_([row.id for row in rows])))
    return len(rows)


def _message(row: Outbox) -> aio_pika.Message:
    return aio_pika.Message(
        json.dumps(row.body).encode(),
        content_type="application/cloudevents+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=str(row.event_id),
    )


if __name__ == "__main__":
    uvloop.run(main())
