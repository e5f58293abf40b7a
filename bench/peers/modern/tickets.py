"""The tickets service: `python -m bench.peers.modern.tickets`."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import aio_pika
import uvloop
from aio_pika.patterns import JsonRPC
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bench.peers import domain
from bench.peers.tables import NUMBERS, Area, Ticket

WORKERS = 10

_engine = create_async_engine(os.environ["TICKETS_DATABASE_URL"], pool_size=WORKERS, max_overflow=0)
Session = async_sessionmaker(_engine, expire_on_commit=False)


async def file_ticket(*, owner: str, command_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Store a ticket with its history and event; the same command finds what it made."""
    command = UUID(command_id)
    async with Session.begin() as session:
        ticket = await session.scalar(select(Ticket).where(Ticket.command_id == command))
        if ticket is None:
            area = await session.get_one(Area, body["area"])
            number = (await session.scalars(select(NUMBERS.next_value()))).one()
            ticket, history, event = domain.filed(body, area, UUID(owner), command, number)
            session.add(ticket)
            await session.flush()
            session.add_all([history, event])
        areas = await _areas(session, [ticket])
    return domain.told(ticket, areas)


async def get_ticket(*, owner: str, ticket_id: str) -> dict[str, Any] | None:
    """One of the owner's tickets."""
    async with Session() as session:
        ticket = await session.get(Ticket, UUID(ticket_id))
        if ticket is None or ticket.reporter != UUID(owner):
            return None
        return domain.told(ticket, await _areas(session, [ticket]))


async def list_tickets(*, owner: str, limit: int, after: str | None) -> dict[str, Any]:
    """The owner's tickets, newest first."""
    wanted = select(Ticket).where(Ticket.reporter == UUID(owner))
    async with Session() as session:
        if after is not None:
            last = await session.get_one(Ticket, UUID(after))
            wanted = wanted.where(
                tuple_(Ticket.filed_at, Ticket.id) < tuple_(last.filed_at, last.id)
            )
        newest = wanted.order_by(Ticket.filed_at.desc(), Ticket.id.desc()).limit(limit + 1)
        found = (await session.scalars(newest)).all()
        return domain.page(found, await _areas(session, found), limit)


async def _areas(session: AsyncSession, tickets: Sequence[Ticket]) -> dict[str, Area]:
    codes = domain.codes_of(tickets)
    found = await session.scalars(select(Area).where(Area.code.in_(codes)))
    return {area.code: area for area in found}


async def main() -> None:
    """Serve until the process is ended."""
    connection = await aio_pika.connect_robust(os.environ["AMQP_URI"])
    async with connection:
        channel = await connection.channel(publisher_confirms=False)
        await channel.set_qos(prefetch_count=WORKERS)
        rpc = await JsonRPC.create(channel)
        for method in (file_ticket, get_ticket, list_tickets):
            await rpc.register(f"tickets.{method.__name__}", method)
        await asyncio.Future()


if __name__ == "__main__":
    uvloop.run(main())
