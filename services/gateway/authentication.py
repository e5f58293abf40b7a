"""Who is calling: from a bearer token to an actor, its roles and, for a key, its scopes. All of it
from the gateway's own tables.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, Uuid, bindparam, case, exists, select
from sqlalchemy import cast as cast_sql
from sqlalchemy.orm import Session

from chassis.call import Actor, Grant
from chassis.clock import local
from chassis.errors import Forbidden, Unauthenticated
from services.gateway import duties, tokens
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


def _asked(person: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[bool]]:
    """What a statement asks of a person to know their roles: duties, and whether they administer
    accounts.
    """
    administrator = exists().where(_ACCOUNTS.c.person == person, _ACCOUNTS.c.administrator)
    return duties.current(person).label("duties"), administrator.label("administrator")


# Built once, one statement each, and of tables rather than classes: for each request SQLAlchemy has
# only its values to look at.
_ACCOUNTS, _SESSIONS, _KEYS = (
    cast("Table", model.__table__) for model in (Account, SignedIn, ApiKey)
)
_PERSON = select(*_asked(bindparam("somebody", type_=Uuid)))
_OPEN = select(
    *(_SESSIONS.c[name] for name in ("id", "person", "method", "expires_at", "token_digest")),
    *_asked(_SESSIONS.c.person),
).where(_SESSIONS.c.expires_at > bindparam("now"))
_VALID = select(
    *(_KEYS.c[name] for name in ("id", "owner_kind", "owner", "scopes", "token_digest")),
    *_asked(case((_KEYS.c.owner_kind == "person", cast_sql(_KEYS.c.owner, Uuid)))),
)
_SESSION = _OPEN.where(_SESSIONS.c.token_digest == bindparam("digest"))
_KEY = _VALID.where(_KEYS.c.token_digest == bindparam("digest"))
_SEVERAL_SESSIONS = _OPEN.where(_SESSIONS.c.token_digest.in_(bindparam("digests", expanding=True)))
_SEVERAL_KEYS = _VALID.where(_KEYS.c.token_digest.in_(bindparam("digests", expanding=True)))


def identify(database: Session | Connection, token: str, now: datetime) -> Caller:
    """The caller whose token this is, in one statement; raises TokenInvalid."""
    asked = {"digest": tokens.token_digest(token), "today": local(now).date()}
    if token.startswith(tokens.SESSION_PREFIX):
        return _by_session(database.execute(_SESSION, {**asked, "now": now}).one_or_none())
    if token.startswith(tokens.API_KEY_PREFIX):
        return _by_key(database.execute(_KEY, asked).one_or_none())
    raise TokenInvalid()


def identify_several(
    database: Session | Connection, some: Collection[str], now: datetime
) -> Mapping[str, Caller]:
    """The callers by their tokens, in two statements; of tokens that are not valid there are none.
    For those who read streams, whose tokens were of either kind.
    """
    by_digest = {tokens.token_digest(token): token for token in some}
    asked = {"digests": list(by_digest), "today": local(now).date(), "now": now}
    found = {
        row.token_digest: _by_session(row) for row in database.execute(_SEVERAL_SESSIONS, asked)
    }
    found |= {row.token_digest: _by_key(row) for row in database.execute(_SEVERAL_KEYS, asked)}
    return {by_digest[digest]: caller for digest, caller in found.items()}


def session_roles(session: Session, person: UUID, method: str, now: datetime) -> list[Role]:
    """What a session opened by `method` lets a person be today."""
    asked = {"somebody": person, "today": local(now).date()}
    return _by_method(method, session.execute(_PERSON, asked).one())


def _by_method(method: str, found: Any) -> list[Role]:
    """By a code a resident only. Phones are lost, lent and passed on, and those who keep the
    register change the number that counts.
    """
    return [Role("resident")] if method == CODE else _roles(found)


def _roles(found: Any) -> list[Role]:
    """What a person is: a resident, what their duties say, perhaps an administrator."""
    roles = [Role(*duty) for duty in found.duties]
    if found.administrator and Role("administrator") not in roles:
        roles.append(Role("administrator"))
    return [*roles, Role("resident")]


def _by_session(found: Any) -> Caller:
    if found is None:
        raise TokenInvalid()
    return Caller(
        kind="person",
        id=str(found.person),
        roles=_by_method(found.method, found),
        session=found.id,
        expires_at=found.expires_at,
    )


def _by_key(key: Any) -> Caller:
    if key is None:
        raise TokenInvalid()
    if key.owner_kind == "department":
        owner = [Role("department_clerk", department=key.owner)]
    else:
        owner = _roles(key)
    return Caller(
        kind=key.owner_kind,
        id=key.owner,
        roles=[*owner, Role("machine")],
        scopes=frozenset(key.scopes),
        api_key=key.id,
    )
