"""One-time codes: six digits, good for five minutes and five wrong tries, kept as keyed digests of
code and phone.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from chassis.errors import TooManyRequests
from chassis.ids import new_id
from services.gateway import tokens
from services.gateway.models import SignInCode

GOOD_FOR = timedelta(minutes=5)
TRIES = 5
# Each code gives five more tries: over a day they must stay few against a million codes.
TRIES_A_DAY = 30
_WINDOW = timedelta(minutes=10)
_DAY = timedelta(hours=24)


class TooManyCodes(TooManyRequests):
    """Too many codes were asked for this phone; try again after `retry_after` seconds."""

    code = "too_many_codes"


@dataclass(frozen=True)
class Offer:
    """A code that somebody gives for a phone (E.164), with the command that would use it up."""

    phone: str
    code: str
    command_id: UUID


def new_code(session: Session, secret: bytes, phone: str, now: datetime, limit: int) -> str:
    """A code for the phone (E.164), kept as a digest. Raises TooManyCodes after `limit` of them in
    ten minutes.
    """
    digest = _phone_digest(secret, phone)
    recent, tries = _spent(session, digest, now)
    if recent >= limit:
        raise TooManyCodes(retry_after=int(_WINDOW.total_seconds()))
    if tries >= TRIES_A_DAY:
        raise TooManyCodes(retry_after=int(_DAY.total_seconds()))
    code = tokens.new_code()
    session.add(
        SignInCode(
            id=new_id(),
            phone_digest=digest,
            code_digest=_code_digest(secret, phone, code),
            tries=0,
            created_at=now,
            expires_at=now + GOOD_FOR,
        )
    )
    return code


def offer_code(session: Session, secret: bytes, offer: Offer, now: datetime) -> SignInCode | None:
    """The code under way, when it is good for the phone; otherwise None, and it counts as a wrong
    try.

    A code is used up with `used_by`. The command that used it may offer it again: its answer may
    have been lost on the way.
    """
    digest = _code_digest(secret, offer.phone, offer.code)
    under_way = session.scalars(_good(secret, offer.phone, now).with_for_update()).all()
    for row in under_way:
        theirs = row.used_by in (None, offer.command_id)
        if hmac.compare_digest(row.code_digest, digest) and theirs:
            return row
    unused = [row.id for row in under_way if row.used_by is None]
    session.execute(
        update(SignInCode).where(SignInCode.id.in_(unused)).values(tries=SignInCode.tries + 1)
    )
    return None


def forget_old(session: Session, now: datetime) -> None:
    """Drop codes of yesterday."""
    session.execute(delete(SignInCode).where(SignInCode.created_at < now - _DAY))


def _spent(session: Session, phone_digest: bytes, now: datetime) -> tuple[int, int]:
    """How many codes this phone was sent in ten minutes, and how many wrong ones were tried in a
    day.
    """
    counts = select(
        func.count().filter(SignInCode.created_at > now - _WINDOW),
        func.coalesce(func.sum(SignInCode.tries), 0),
    ).where(SignInCode.phone_digest == phone_digest, SignInCode.created_at > now - _DAY)
    recent, tries = session.execute(counts).one()
    return int(recent), int(tries)


def _good(secret: bytes, phone: str, now: datetime) -> Select[SignInCode]:
    return select(SignInCode).where(
        SignInCode.phone_digest == _phone_digest(secret, phone),
        SignInCode.expires_at > now,
        SignInCode.tries < TRIES,
    )


def _phone_digest(secret: bytes, phone: str) -> bytes:
    return tokens.keyed_digest(secret, "phone", phone)


def _code_digest(secret: bytes, phone: str, code: str) -> bytes:
    return tokens.keyed_digest(secret, "code", phone, code)
