"""The gateway: `uvicorn bench.peers.modern.gateway:app`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import aio_pika
from aio_pika.patterns import JsonRPC
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from bench.peers.domain import digest, scope_of
from bench.peers.modern.schemas import NewTicket, Page, Ticket
from bench.peers.tables import ApiKey, IdempotencyKey

_engine = create_async_engine(os.environ["GATEWAY_DATABASE_URL"], pool_size=64, max_overflow=0)
Session = async_sessionmaker(_engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Stay connected as long as the application runs."""
    connection = await aio_pika.connect_robust(os.environ["AMQP_URI"])
    async with connection:
        # Requests are transient: waiting for a confirm would be one more way there and back.
        channel = await connection.channel(publisher_confirms=False)
        app.state.rpc = await JsonRPC.create(channel)
        yield
    await _engine.dispose()


app = FastAPI(lifespan=lifespan)


async def call(request: Request, method: str, **arguments: Any) -> Any:
    """Ask the tickets service."""
    return await request.app.state.rpc.call(f"tickets.{method}", arguments, expiration=2)


async def owner_of(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
) -> UUID:
    """Whose API key this is."""
    token = digest(credentials.credentials.encode())
    async with Session() as session:
        owner = await session.scalar(select(ApiKey.owner).where(ApiKey.token_digest == token))
    if owner is None:
        raise HTTPException(401, "token_invalid")
    return owner


Owner = Annotated[UUID, Depends(owner_of)]


@app.post("/api/v1/tickets", status_code=201, response_model=Ticket)
async def file_ticket(
    request: Request,
    body: NewTicket,
    owner: Owner,
    idempotency_key: Annotated[str, Header(max_length=255)],
) -> Response:
    """File a ticket, once for each key."""
    scope, command_id = scope_of(owner, idempotency_key)
    text = body.model_dump_json()
    known = await _claim(scope, digest(text.encode()), command_id)
    if known is not None:
        return Response(known, 201, media_type="application/json")
    try:
        filed = await call(
            request,
            "file_ticket",
            owner=str(owner),
            command_id=str(command_id),
            body=body.model_dump(mode="json"),
        )
        answer = Ticket.model_validate(filed).model_dump_json()
    except BaseException:
        await _abandon(scope)
        raise
    async with Session.begin() as session:
        kept = update(IdempotencyKey).where(IdempotencyKey.scope == scope)
        await session.execute(kept.values(status=201, answer=answer))
    location = {"Location": f"/api/v1/tickets/{filed['id']}"}
    return Response(answer, 201, location, media_type="application/json")


@app.get("/api/v1/tickets/{ticket_id}", response_model=Ticket)
async def get_ticket(request: Request, ticket_id: UUID, owner: Owner) -> Any:
    """One ticket."""
    found = await call(request, "get_ticket", owner=str(owner), ticket_id=str(ticket_id))
    if found is None:
        raise HTTPException(404, "unknown_ticket")
    return found


@app.get("/api/v1/tickets", response_model=Page)
async def list_tickets(
    request: Request,
    owner: Owner,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: UUID | None = None,
) -> Any:
    """One's own tickets, newest first."""
    cursor = None if after is None else str(after)
    return await call(request, "list_tickets", owner=str(owner), limit=limit, after=cursor)


async def _claim(scope: bytes, body: bytes, command_id: UUID) -> str | None:
    """Nothing when the key is new; otherwise the answer that was given under it."""
    values = {"scope": scope, "body_digest": body, "command_id": command_id}
    claiming = insert(IdempotencyKey).values(values).on_conflict_do_nothing()
    async with Session.begin() as session:
        if await session.scalar(claiming.returning(IdempotencyKey.scope)) is not None:
            return None
        known = await session.get_one(IdempotencyKey, scope)
    if known.body_digest != body:
        raise HTTPException(422, "idempotency_key_reused")
    if known.answer is None:
        raise HTTPException(409, "still_running")
    return known.answer


async def _abandon(scope: bytes) -> None:
    async with Session.begin() as session:
        await session.execute(delete(IdempotencyKey).where(IdempotencyKey.scope == scope))
