"""Sessions of people: opened at sign-in, found by the digest of their token, ended by their owner
or by time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis.errors import Conflict, NotFound
from chassis.ids import new_id
from services.gateway import tokens
from services.gateway.models import SignedIn

# How a session was opened.
CODE, PASSWORD = "code", "password"


class CommandReused(Conflict):
    """This request was sent before by somebody else."""

    code = "command_reused"


@dataclass(frozen=True)
class SignIn:
    """Who signs in, how (`method`: CODE or PASSWORD), and for how long."""

    person: UUID
    method: str
    lasts: timedelta
    account: UUID | None = None
    user_agent: str = ""


def open_session(
    session: Session, sign_in: SignIn, command_id: UUID, now: datetime
) -> tuple[SignedIn, str]:
    """A session and its token, which is told this once. The same command again gets the same
    session with a new token.
    """
    token = tokens.new_token(tokens.SESSION_PREFIX)
    found = session.scalars(
        select(SignedIn).where(SignedIn.command_id == command_id).with_for_update()
    ).one_or_none()
    if found and found.person != sign_in.person:
        raise CommandReused()
    signed_in = found or SignedIn(id=new_id(), command_id=command_id, created_at=now)
    signed_in.token_digest = tokens.token_digest(token)
    signed_in.person = sign_in.person
    signed_in.account = sign_in.account
    signed_in.method = sign_in.method
    signed_in.user_agent = sign_in.user_agent[:200]
    signed_in.expires_at = now + sign_in.lasts
    session.add(signed_in)
    return signed_in, token


def sessions_of(session: Session, person: UUID, now: datetime) -> Sequence[SignedIn]:
    """A person's sessions that are still good, newest first."""
    return session.scalars(
        select(SignedIn)
        .where(SignedIn.person == person, SignedIn.expires_at > now)
        .order_by(SignedIn.id.desc())
        .limit(200)
    ).all()


def end_session(session: Session, person: UUID, session_id: UUID) -> None:
    """End one of the person's sessions; raises NotFound for another's."""
    done = session.execute(
        delete(SignedIn).where(SignedIn.id == session_id, SignedIn.person == person)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise NotFound()


def forget_old(session: Session, now: datetime) -> None:
    """Drop sessions that have run out."""
    session.execute(delete(SignedIn).where(SignedIn.expires_at < now))
