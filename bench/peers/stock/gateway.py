"""The gateway: `python -m bench.peers.stock --config … bench.peers.stock.gateway`."""

import json
from typing import Any
from uuid import UUID

from nameko.rpc import RpcProxy
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from werkzeug.wrappers import Request, Response

from bench.peers.domain import digest, scope_of
from bench.peers.stock import schemas
from bench.peers.stock.database import DatabaseSession
from bench.peers.stock.entrypoints import Refused, http
from bench.peers.tables import ApiKey, Gateway, IdempotencyKey


class GatewayService:
    """What the API serves."""

    name = "gateway"
    db = DatabaseSession(Gateway)
    tickets = RpcProxy("tickets")

    @http("POST", "/api/v1/tickets")
    def file_ticket(self, request: Request) -> Response:
        """File a ticket, once for each key."""
        owner = self._owner(request)
        body = schemas.NewTicket().loads(request.get_data(as_text=True))
        scope, command_id = scope_of(owner, request.headers["Idempotency-Key"])
        known = self._claim(scope, digest(json.dumps(body, sort_keys=True).encode()), command_id)
        if known is not None:
            return _json(known, 201)
        try:
            filed = self.tickets.file_ticket(str(owner), str(command_id), body)
            answer = schemas.Ticket().dumps(filed)
        except BaseException:
            self.db.execute(delete(IdempotencyKey).where(IdempotencyKey.scope == scope))
            self.db.commit()
            raise
        kept = update(IdempotencyKey).where(IdempotencyKey.scope == scope)
        self.db.execute(kept.values(status=201, answer=answer))
        self.db.commit()
        response = _json(answer, 201)
        response.headers["Location"] = f"/api/v1/tickets/{filed['id']}"
        return response

    @http("GET", "/api/v1/tickets/<uuid:ticket_id>")
    def get_ticket(self, request: Request, ticket_id: UUID) -> Response:
        """One ticket."""
        owner = self._owner(request)
        found = self.tickets.get_ticket(str(owner), str(ticket_id))
        if found is None:
            raise Refused(404, "unknown_ticket")
        return _json(schemas.Ticket().dumps(found))

    @http("GET", "/api/v1/tickets")
    def list_tickets(self, request: Request) -> Response:
        """One's own tickets, newest first."""
        owner = self._owner(request)
        wanted: Any = schemas.Wanted().load(request.args.to_dict())
        after = None if wanted["after"] is None else str(wanted["after"])
        found = self.tickets.list_tickets(str(owner), wanted["limit"], after)
        return _json(schemas.Page().dumps(found))

    def _owner(self, request: Request) -> UUID:
        """Whose API key this is."""
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        asked = select(ApiKey.owner).where(ApiKey.token_digest == digest(token.encode()))
        owner: UUID | None = self.db.scalar(asked)
        # The connection goes back to the pool: other services are asked meanwhile.
        self.db.rollback()
        if owner is None:
            raise Refused(401, "token_invalid")
        return owner

    def _claim(self, scope: bytes, body: bytes, command_id: UUID) -> str | None:
        """Nothing when the key is new; otherwise the answer that was given under it."""
        values = {"scope": scope, "body_digest": body, "command_id": command_id}
        claiming = insert(IdempotencyKey).values(values).on_conflict_do_nothing()
        is_new = self.db.scalar(claiming.returning(IdempotencyKey.scope)) is not None
        known = None if is_new else self.db.get_one(IdempotencyKey, scope)
        self.db.commit()
        if known is None:
            return None
        if known.body_digest != body:
            raise Refused(422, "idempotency_key_reused")
        if known.answer is None:
            raise Refused(409, "still_running")
        return str(known.answer)


def _json(text: str, status: int = 200) -> Response:
    return Response(text, status, mimetype="application/json")
