"""Logins and passwords of staff.

`python -m services.gateway.accounts create-administrator --login NAME` makes the first one; the
password comes from the variable LINLI_PASSWORD, or else from the standard input.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import create_engine, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.clock import local, now
from chassis.errors import Conflict
from chassis.ids import new_id
from chassis.settings import database_url, with_files
from services.gateway.models import Account, Duty
from services.gateway.passwords import hash_password

SHORTEST_PASSWORD = 8


class LoginTaken(Conflict):
    """Somebody else has this login."""

    code = "login_taken"


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


def _create_administrator(login: str, person: UUID | None, password: str) -> str:
    """Make the account, or leave the one there is, and say its person's id."""
    url = with_files(os.environ).get("LINLI_DATABASE_URL_GATEWAY")
    if not url:
        raise SystemExit("LINLI_DATABASE_URL_GATEWAY must be set")
    engine = create_engine(database_url(url))
    with Session(engine) as session, session.begin():
        account = account_of(session, login) or create_account(
            session,
            NewAccount(login, person or new_id(), hash_password(password), administrator=True),
            new_id(),
            now(),
        )
        if not account.administrator:
            raise SystemExit(f"{login} exists and is no administrator")
        person = account.person
    engine.dispose()
    return str(person)


def main(arguments: list[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m services.gateway.accounts")
    commands = parser.add_subparsers(required=True)
    create = commands.add_parser("create-administrator", help="make an administrator's account")
    create.add_argument("--login", required=True, type=str.casefold)
    create.add_argument("--person", type=UUID, help="the id in the registry, when there is one")
    given = parser.parse_args(arguments)
    password = with_files(os.environ).get("LINLI_PASSWORD") or sys.stdin.readline().rstrip("\n")
    if len(password) < SHORTEST_PASSWORD:
        raise SystemExit(f"the password must have at least {SHORTEST_PASSWORD} characters")
    sys.stdout.write(_create_administrator(given.login, given.person, password) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
