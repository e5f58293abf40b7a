"""`Idempotency-Key`: one effect and one answer for a POST, however often it is sent.

A key is claimed with one statement, so that of fifty requests at once one runs and the others are
told to come back. A claim is a lease: when the process that ran it died, the next request runs
again, under the same command id, and the service that owns the thing finds what the first one made.

Answers are stored sealed, for they may hold what is erased elsewhere meanwhile: each under a key
that is made from its own request's.
"""

import hashlib
import hmac
import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Table, and_, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from services.gateway.models import IdempotencyKey

KEPT = timedelta(hours=24)
# Longer than any request may take; until then a crashed one's key answers 409.
LEASE = timedelta(seconds=5)
# The first byte of what is sealed. An answer without it was stored by the version before this one.
_SEALED = b"\x01"
_NONCE_BYTES = 12
_FORM = re.compile(r"[\x21-\x7e]{1,255}")
# A refusal with one of these says: send it again, later or with another If-Match.
_NOT_STORED = frozenset({401, 409, 412, 428, 429})


class KeyMalformed(Invalid):
    """An Idempotency-Key has 1 to 255 visible ASCII characters."""

    code = "idempotency_key_malformed"


class KeyReused(Invalid):
    """This Idempotency-Key was sent before with another body."""

    code = "idempotency_key_reused"


class StillRunning(Conflict):
    """The first request with this Idempotency-Key is still running."""

    code = "still_running"


@dataclass(frozen=True)
class Scope:
    """Whose key, for what: `caller` is an actor, or the address of an anonymous one."""

    caller: str
    method: str
    path: str
    key: str

    def digest(self) -> bytes:
        """What the claim is found by."""
        return hashlib.sha256(self._parts()).digest()

    def seal(self, secret: bytes, body: bytes) -> bytes:
        """A body as it is stored: AES-256-GCM (NIST SP 800-38D), 96-bit nonce. Who has the table
        and the gateway's secret, but no Idempotency-Key, cannot open it.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return _SEALED + nonce + self._aead(secret).encrypt(nonce, body, None)

    def open(self, secret: bytes, stored: bytes) -> bytes:
        """The body that `seal` was given; raises InvalidTag for one of another request."""
        if not stored.startswith(_SEALED):
            return stored
        nonce, sealed = stored[1 : 1 + _NONCE_BYTES], stored[1 + _NONCE_BYTES :]
        return self._aead(secret).decrypt(nonce, sealed, None)

    def command_id(self) -> UUID:
        """The id under which a service remembers, for ever, what this request made. An RFC 9562
        version 8.
        """
        octets = bytearray(self.digest()[:16])
        # Version and variant; the uuid module of Python 3.11 sets versions 1 to 5 only.
        octets[6] = octets[6] & 0x0F | 0x80
        octets[8] = octets[8] & 0x3F | 0x80
        return UUID(bytes=bytes(octets))

    def _aead(self, secret: bytes) -> AESGCM:
        return AESGCM(hmac.digest(secret, b"idempotency answer\n" + self._parts(), "sha256"))

    def _parts(self) -> bytes:
        return "\n".join((self.caller, self.method, self.path, self.key)).encode()


@dataclass(frozen=True)
class Stored:
    """An answer as it was given the first time; its body sealed by the scope."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Claim:
    """The right to run a request: `lease` tells one holder from the next."""

    scope: bytes
    lease: UUID


def checked(key: str) -> str:
    """The key; raises KeyMalformed."""
    if not _FORM.fullmatch(key):
        raise KeyMalformed()
    return key


def is_stored(status: int) -> bool:
    """Whether an answer of this status is given again to a repeated request."""
    return status < 500 and status not in _NOT_STORED


def body_digest(secret: bytes, body: bytes) -> bytes:
    """What two bodies are compared by; keyed, for a body may hold a password."""
    return hmac.digest(secret, b"idempotency\n" + body, "sha256")


def claim(database: Connection, scope: bytes, body: bytes, now: datetime) -> Claim | Stored:
    """Claim the scope for a request with this body digest, or give the answer that is stored for
    it.

    Raises KeyReused for another body, StillRunning (with `retry_after`) while another holds the
    claim.
    """
    lease = new_id()
    values = {"scope": scope, "body_digest": body, "lease": lease, "leased_until": now + LEASE}
    empty = dict.fromkeys(("status", "headers", "body"))
    mine = database.execute(_CLAIM, {**values, **empty, "created_at": now}).first()
    if mine:
        return Claim(scope, lease)
    row = database.execute(_STORED, {"scope": scope}).first()
    if row and row.body_digest != body:
        raise KeyReused()
    # No row: its holder has just given it up, and this request comes back for it.
    if row is None or row.status is None:
        raise StillRunning(retry_after=1)
    return Stored(row.status, row.headers or {}, row.body or b"")


def finish(database: Connection, claim: Claim, answer: Stored) -> None:
    """Keep the answer of a request that ran, unless its lease has passed to another."""
    kept = {"new_status": answer.status, "new_headers": answer.headers, "new_body": answer.body}
    database.execute(_FINISH, {**_held_by(claim), **kept})


def release(database: Connection, claim: Claim, now: datetime) -> None:
    """Let the same request run again, at once; another body under the key stays refused."""
    database.execute(_RELEASE, {**_held_by(claim), "new_end": now})


def abandon(database: Connection, claim: Claim) -> None:
    """Forget a request that came to nothing."""
    database.execute(_ABANDON, _held_by(claim))


def forget_old(session: Session, now: datetime, limit: int = 1000) -> int:
    """Drop up to `limit` rows older than a day, and say how many."""
    old = select(IdempotencyKey.scope).where(IdempotencyKey.created_at < now - KEPT).limit(limit)
    done = session.execute(delete(IdempotencyKey).where(IdempotencyKey.scope.in_(old)))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _claiming() -> Any:
    """INSERT the claim, or take over a row that is a day old, or one whose runner is gone and whose
    body is the same.
    """
    claiming = insert(_KEYS)
    new = claiming.excluded
    old = _KEYS.c.created_at < new.created_at - KEPT
    orphaned = and_(
        _KEYS.c.status.is_(None),
        _KEYS.c.leased_until <= new.created_at,
        _KEYS.c.body_digest == new.body_digest,
    )
    values = {column.name: new[column.name] for column in _KEYS.columns}
    return claiming.on_conflict_do_update(
        index_elements=["scope"], set_=values, where=or_(old, orphaned)
    ).returning(_KEYS.c.scope)


def _held_by(claim: Claim) -> dict[str, Any]:
    return {"held_scope": claim.scope, "held_lease": claim.lease}


# Built once: for each request SQLAlchemy has only their values to look at.
_KEYS = cast("Table", IdempotencyKey.__table__)
_STORED = select(_KEYS).where(_KEYS.c.scope == bindparam("scope"))
_HELD = and_(_KEYS.c.scope == bindparam("held_scope"), _KEYS.c.lease == bindparam("held_lease"))
_CLAIM = _claiming()
_FINISH = (
    update(_KEYS)
    .where(_HELD)
    .values(
        status=bindparam("new_status"),
        headers=bindparam("new_headers"),
        body=bindparam("new_body"),
    )
)
_RELEASE = update(_KEYS).where(_HELD).values(leased_until=bindparam("new_end"))
_ABANDON = delete(_KEYS).where(_HELD)
