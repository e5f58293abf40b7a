"""Logins and passwords of staff. The first one is made by `linli users add-administrator`: nobody
could sign in to make it over HTTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.clock import local
from chassis.errors import Conflict, NotFound
from chassis.ids import new_id
from services.gateway.models import Account, ApiKey, Duty, SignedIn
from services.gateway.passwords import hash_password

SHORTEST_PASSWORD = 8


class LoginTaken(Conflict):
    """Somebody else has this login."""

    code = "login_taken"


class UnknownLogin(NotFound):
    """Nobody has this login."""


class LastAdministrator(Conflict):
    """Nobody else could administer: make another administrator first."""

    code = "last_administrator"


@dataclass(frozen=True)
class NewAccount:
    """What an account is made of."""

    login: str
    person: UUID
    password_hash: str
    administrator: bool = False


def create_account(
    session: Session, new: NewAccount, command_id: UUID, created_at: datetime
) -> Account:
    """The account; the same command again gets the same one. Raises LoginTaken."""
    session.execute(
        insert(Account)
        .values(id=new_id(), command_id=command_id, created_at=created_at, **vars(new))
        .on_conflict_do_nothing()
    )
    account = session.scalars(select(Account).where(Account.command_id == command_id)).one_or_none()
    if account is None:
        raise LoginTaken()
    return account


def account_of(session: Session, login: str) -> Account | None:
    """The account with this login, which is case-folded already."""
    return session.scalars(select(Account).where(Account.login == login)).one_or_none()


def check_not_last(session: Session, person: UUID, now: datetime) -> None:
    """Raise LastAdministrator where a person has an administrator's account, and nobody else has
    one or a login with that duty.
    """
    today = local(now).date()
    on_duty = select(Duty.person).where(
        Duty.role == "administrator",
        Duty.starts <= today,
        or_(Duty.ends.is_(None), Duty.ends >= today),
    )
    administers = or_(Account.administrator, Account.person.in_(on_duty))
    others = exists().where(Account.person != person, administers)
    last = exists().where(Account.person == person, Account.administrator)
    if session.scalar(select(last & ~others)):
        raise LastAdministrator()


def list_accounts(session: Session, now: datetime) -> Sequence[tuple[Account, int]]:
    """Every account in the order of logins, with how many sessions its person has."""
    signed_in = (
        select(func.count())
        .where(SignedIn.person == Account.person, SignedIn.expires_at > now)
        .scalar_subquery()
    )
    rows = session.execute(select(Account, signed_in).order_by(Account.login))
    return [(account, count) for account, count in rows]


def existing_account(session: Session, login: str) -> Account:
    """The account with this login, locked; raises UnknownLogin."""
    query = select(Account).where(Account.login == login).with_for_update()
    if (account := session.scalars(query).one_or_none()) is None:
        raise UnknownLogin()
    return account


def change_password(session: Session, account: Account, password_hash: str) -> int:
    """Give an account another password and end its person's sessions; how many there were."""
    account.password_hash = password_hash
    return end_sessions(session, account.person)


def close_account(session: Session, account: Account, now: datetime) -> tuple[int, int]:
    """Take a login away, and end what its person opened and was given with it: how many sessions
    and API keys. Their duties are the registry's. Raises LastAdministrator.
    """
    check_not_last(session, account.person, now)
    sessions = end_sessions(session, account.person)
    keys = session.execute(
        delete(ApiKey).where(ApiKey.owner_kind == "person", ApiKey.owner == str(account.person))
    )
    session.delete(account)
    return sessions, int(keys.rowcount)  # type: ignore[attr-defined]


def end_sessions(session: Session, person: UUID) -> int:
    """Sign a person out everywhere; how many sessions there were."""
    done = session.execute(delete(SignedIn).where(SignedIn.person == person))
    return int(done.rowcount)  # type: ignore[attr-defined]


def make_administrator(
    session: Session, login: str, person: UUID | None, password: str, now: datetime
) -> Account:
    """An administrator's account, or the one there is with this login, which keeps its password.
    Without a person it is of somebody whom the registry does not know. Raises LoginTaken.
    """
    found = account_of(session, login)
    if found is not None and not found.administrator:
        raise LoginTaken()
    return found or create_account(
        session,
        NewAccount(login, person or new_id(), hash_password(password), administrator=True),
        new_id(),
        now,
    )


def checked_password(password: str) -> str:
    """The password; raises ValueError when it is too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise ValueError(f"the password must have at least {SHORTEST_PASSWORD} characters")
    return password
