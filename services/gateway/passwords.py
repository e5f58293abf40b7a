"""Passwords: argon2id off the event loop, and a lock-out that does not tell which logins exist.

Parameters are the ones of OWASP's Password Storage Cheat Sheet for argon2id: 19 MiB, 2 passes, 1
lane.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from eventlet import tpool
from eventlet.semaphore import Semaphore
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errors import TooManyRequests
from services.gateway.models import SignInFailure

FREE_TRIES = 5
_FIRST_LOCK = timedelta(seconds=30)
_LONGEST_LOCK = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(hours=24)

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Checked for logins that do not exist, so that their answer takes as long.
_NOBODYS = _hasher.hash("nobody's password")
# More at once would only share the same processors, and hold 19 MiB each.
_turns = Semaphore(4)


class Locked(TooManyRequests):
    """Too many wrong passwords; try again after `retry_after` seconds."""

    code = "sign_in_locked"


def hash_password(password: str) -> str:
    """The argon2id hash, parameters and salt included."""
    return str(_in_a_thread(_hasher.hash, password))


def verify(password: str, password_hash: str | None) -> bool:
    """Whether the password is the hash's; without a hash False, after as much work."""
    return bool(_in_a_thread(_matches, password_hash or _NOBODYS, password)) and (
        password_hash is not None
    )


def lock_after(failures: int) -> timedelta | None:
    """How long a login is locked after its n-th wrong password in a row: from the fifth on,
    doubling up to a quarter of an hour.
    """
    if failures < FREE_TRIES:
        return None
    return min(_FIRST_LOCK * (1 << min(failures - FREE_TRIES, 10)), _LONGEST_LOCK)


def check_lock(session: Session, login: bytes, now: datetime) -> None:
    """Raises Locked while the login with this digest is locked."""
    row = session.get(SignInFailure, login)
    if row and row.locked_until and row.locked_until > now:
        raise Locked(retry_after=int((row.locked_until - now).total_seconds()) + 1)


def note_failure(session: Session, login: bytes, now: datetime) -> None:
    """Count a wrong password, and lock the login when there are too many."""
    values = {"login_digest": login, "failures": 1, "last_failed_at": now}
    counted = session.execute(
        insert(SignInFailure)
        .values(values)
        .on_conflict_do_update(
            index_elements=["login_digest"],
            set_={"failures": SignInFailure.failures + 1, "last_failed_at": now},
        )
        .returning(SignInFailure.failures)
    ).scalar_one()
    lock = lock_after(counted)
    if lock:
        session.get_one(SignInFailure, login).locked_until = now + lock


def note_success(session: Session, login: bytes) -> None:
    """The right password forgives the wrong ones."""
    session.execute(delete(SignInFailure).where(SignInFailure.login_digest == login))


def forget_old(session: Session, now: datetime) -> None:
    """Drop failures of yesterday."""
    session.execute(
        delete(SignInFailure).where(SignInFailure.last_failed_at < now - _FORGOTTEN_AFTER)
    )


def _in_a_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    with _turns:
        return tpool.execute(work, *arguments)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
