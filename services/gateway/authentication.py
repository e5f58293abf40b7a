"""Who is calling: from a bearer token to an actor, its roles and, for a key, its scopes. All of it
from the gateway's own tables.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from chassis.call import Actor, Grant
from chassis.errors import Forbidden, Unauthenticated
from services.gateway import tokens
from services.gateway.duties import roles_of
from services.gateway.models import Account, ApiKey, SignedIn
from services.gateway.policy import Role, grants_for
from services.gateway.sessions import CODE


class TokenInvalid(Unauthenticated):
    """The token is unknown, has run out or was revoked."""

    code = "token_invalid"


class WrongCredentials(Unauthenticated):
    """Login and password do not fit, or the code is wrong or no longer good."""

    code = "wrong_credentials"


class BeyondScopes(Forbidden):
    """An API key gives nobody more than it may do itself."""

    code = "beyond_scopes"


@dataclass(frozen=True)
class Caller:
    """Whoever sent a request. `scopes` and `api_key` (its id) are None for everyone but an API key;
    `session` only for a session's token.
    """

    kind: str = "anonymous"
    id: str | None = None
    roles: Sequence[Role] = (Role("anonymous"),)
    scopes: frozenset[str] | None = None
    api_key: UUID | None = None
    session: UUID | None = None
    expires_at: datetime | None = None
    grants: tuple[Grant, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "grants", grants_for(self.roles, self.scopes))

    def actor(self) -> Actor:
        """As services get to know the caller."""
        known: dict[str, Any] = {"roles": [role.to_json() for role in self.roles]}
        if self.api_key:
            known["api_key"] = str(self.api_key)
        return Actor(self.id, self.kind, known)

    def check_giving(self, scopes: Collection[str]) -> None:
        """Raise BeyondScopes for a key that gives away a scope which it has not."""
        if self.scopes is not None and not self.scopes.issuperset(scopes):
            raise BeyondScopes()

    def may_import(self) -> bool:
        """Whether the caller may say when something happened: only an API key with that scope."""
        return self.scopes is not None and "import" in self.scopes


ANONYMOUS = Caller()


def bearer_token(authorization: str | None) -> str | None:
    """The token of an Authorization header, None without one; raises TokenInvalid for any other
    scheme (RFC 6750).
    """
    if not authorization:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenInvalid()
    return token.strip()


# Built once, and of columns: for each request SQLAlchemy has only their values to look at, and no
# objects to make.
_SESSION = select(SignedIn.id, SignedIn.person, SignedIn.method, SignedIn.expires_at).where(
    SignedIn.token_digest == bindparam("digest"), SignedIn.expires_at > bindparam("now")
)
_KEY = select(ApiKey.id, ApiKey.owner_kind, ApiKey.owner, ApiKey.scopes).where(
    ApiKey.token_digest == bindparam("digest")
)
_ADMINISTRATES = select(
    exists().where(Account.person == bindparam("somebody"), Account.administrator)
)


def identify(session: Session, token: str, now: datetime) -> Caller:
    """The caller whose token this is; raises TokenInvalid."""
    digest = tokens.token_digest(token)
    if token.startswith(tokens.SESSION_PREFIX):
        return _by_session(session, digest, now)
    if token.startswith(tokens.API_KEY_PREFIX):
        return _by_key(session, digest, now)
    raise TokenInvalid()


def person_roles(session: Session, person: UUID, now: datetime) -> list[Role]:
    """What a person is today: a resident, what their duties say, perhaps an administrator."""
    roles = roles_of(session, person, now)
    if Role("administrator") not in roles and session.scalar(_ADMINISTRATES, {"somebody": person}):
        roles.append(Role("administrator"))
    return [*roles, Role("resident")]


def session_roles(session: Session, person: UUID, method: str, now: datetime) -> list[Role]:
    """What a session opened by `method` lets a person be: by a code a resident only. Phones are
    lost, lent and passed on, and those who keep the register change the number that counts.
    """
    return [Role("resident")] if method == CODE else person_roles(session, person, now)


def _by_session(session: Session, digest: bytes, now: datetime) -> Caller:
    found = session.execute(_SESSION, {"digest": digest, "now": now}).one_or_none()
    if found is None:
        raise TokenInvalid()
    return Caller(
        kind="person",
        id=str(found.person),
        roles=session_roles(session, found.person, found.method, now),
        session=found.id,
        expires_at=found.expires_at,
    )


def _by_key(session: Session, digest: bytes, now: datetime) -> Caller:
    key = session.execute(_KEY, {"digest": digest}).one_or_none()
    if key is None:
        raise TokenInvalid()
    if key.owner_kind == "department":
        owner = [Role("department_clerk", department=key.owner)]
    else:
        owner = person_roles(session, UUID(key.owner), now)
    return Caller(
        kind=key.owner_kind,
        id=key.owner,
        roles=[*owner, Role("machine")],
        scopes=frozenset(key.scopes),
        api_key=key.id,
    )
