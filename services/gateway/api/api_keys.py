"""`api-keys`: tokens for programs, of a person or a department, narrowed by scopes."""

import base64
from typing import Any
from uuid import UUID

from chassis.clock import iso, now
from chassis.errors import Invalid, NotFound
from services.gateway import keys
from services.gateway.api.asking import check_department, check_person
from services.gateway.api.capability import Capability
from services.gateway.authentication import BeyondScopes
from services.gateway.exchange import Ask
from services.gateway.models import ApiKey
from services.gateway.operation import operation
from services.gateway.schemas import sessions as schemas
from services.gateway.schemas.common import Page, list_of


class ApiKeys(Capability):
    """An administrator makes and revokes them."""

    @operation(
        "POST",
        "/api-keys",
        policy="api_keys.write",
        body=schemas.NewApiKey,
        answer=schemas.ApiKeyMade,
        status=201,
        location="/api-keys/{id}",
        errors=(BeyondScopes,),
        secret=True,
    )
    def make_api_key(self, ask: Ask) -> Any:
        """Make a key; its token is in this answer only."""
        ask.caller.check_giving(ask.body["scopes"])
        new = _new_key(self, ask)
        with self.db.transaction() as session:
            key, token = keys.make_key(session, new, UUID(ask.call.command_id), now())
        return {**_listed(key), "token": token}

    @operation(
        "GET",
        "/api-keys",
        policy="api_keys.write",
        query=Page,
        answer=list_of(schemas.ApiKeyListed),
    )
    def list_api_keys(self, ask: Ask) -> Any:
        """All keys, oldest first."""
        limit = ask.query["limit"]
        with self.db.read() as session:
            found = keys.list_keys(session, _after(ask.query.get("after")), limit + 1)
        shown = found[:limit]
        more = len(found) > limit
        return {"items": map(_listed, shown), "next": _cursor(shown[-1].id) if more else None}

    @operation(
        "GET",
        "/api-keys/<uuid:id>",
        policy="api_keys.write",
        answer=schemas.ApiKeyListed,
        errors=(NotFound,),
    )
    def get_api_key(self, ask: Ask) -> Any:
        """One key, without its token."""
        with self.db.read() as session:
            return _listed(keys.get_key(session, UUID(ask.path["id"])))

    @operation(
        "DELETE", "/api-keys/<uuid:id>", policy="api_keys.write", status=204, errors=(NotFound,)
    )
    def revoke_api_key(self, ask: Ask) -> None:
        """Revoke a key, from now on."""
        with self.db.transaction() as session:
            keys.revoke_key(session, UUID(ask.path["id"]))


def _new_key(service: Any, ask: Ask) -> keys.NewKey:
    """What to make, for an owner that the registry knows."""
    owner = ask.body["owner"]
    kind = next(iter(owner))
    check = check_person if kind == "person" else check_department
    # Whoever was made before the registry had anybody, the first administrator, may have keys too.
    if owner != {"person": ask.caller.id}:
        check(service, ask, owner[kind], f"/owner/{kind}")
    scopes = tuple(sorted(set(ask.body["scopes"])))
    return keys.NewKey(ask.body["name"], kind, owner[kind], scopes, created_by=str(ask.caller.id))


def _listed(key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(key.id),
        "name": key.name,
        "owner": {key.owner_kind: key.owner},
        "scopes": key.scopes,
        "created_by": key.created_by,
        "created_at": iso(key.created_at),
    }


def _cursor(last: UUID) -> str:
    return base64.urlsafe_b64encode(last.bytes).decode().rstrip("=")


def _after(cursor: str | None) -> UUID | None:
    """The id in a cursor of this list; raises Invalid when it is none."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
    except ValueError:
        message = "The cursor is not one that this list gave."
        fault = {"pointer": "/after", "code": "bad_cursor", "message": message}
        raise Invalid(errors=[fault]) from None
