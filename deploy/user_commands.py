"""`linli users`: logins of staff.

All but `add` work on the gateway's database: also while nothing runs, and for an administrator who
is locked out.
"""

import argparse
import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis.clock import iso, now
from deploy import settings
from deploy.commands import REFUSED, Refused, add_command, agreed, say


def declare(commands: Any) -> None:
    """Add the commands of this area to the parser."""
    add_command(commands, "list", list_users, "who has a login; people by id, not by name")
    text = "an administrator's login, also where there is nobody yet"
    command = add_command(commands, "add-administrator", add_administrator, text)
    command.add_argument("--login", required=True, type=str.casefold, help="the new login")
    command.add_argument("--person", type=UUID, help="the id in the registry, when there is one")
    _takes_password(command)
    text = "a login for somebody in the registry, through the API"
    command = add_command(commands, "add", add, text)
    command.add_argument("--login", required=True, type=str.casefold, help="the new login")
    command.add_argument("--person", required=True, type=UUID, help="the id in the registry")
    _takes_password(command)
    text = "another password; signs the person out everywhere"
    command = add_command(commands, "reset-password", reset_password, text, asks=True)
    command.add_argument("login", type=str.casefold, help="whose")
    _takes_password(command)
    for name, run, text in (
        ("sign-out", sign_out, "end all sessions of a person"),
        ("disable", disable, "take a login away, with its person's sessions and API keys"),
    ):
        command = add_command(commands, name, run, text, asks=True)
        command.add_argument("login", type=str.casefold, help="whose")


def list_users(asked: argparse.Namespace) -> int:
    from services.gateway import accounts

    with _gateway(asked) as session:
        users = [
            {
                "login": account.login,
                "person": str(account.person),
                "administrator": account.administrator,
                "created_at": iso(account.created_at),
                "sessions": sessions,
            }
            for account, sessions in accounts.list_accounts(session, now())
        ]
    lines = [
        f"{each['login']:20} {each['person']}  {each['sessions']} sessions"
        + ("  administrator" if each["administrator"] else "")
        for each in users
    ]
    return say(asked, "\n".join(lines) or "Nobody has a login.", {"users": users})


def add_administrator(asked: argparse.Namespace) -> int:
    from services.gateway import accounts

    password = _password(asked)
    with _gateway(asked) as session:
        made = accounts.make_administrator(session, asked.login, asked.person, password, now())
        person = str(made.person)
    text = f"{asked.login} is an administrator: {person}"
    return say(asked, text, {"login": asked.login, "person": person})


def add(asked: argparse.Namespace) -> int:
    body = {"login": asked.login, "person": str(asked.person), "password": _password(asked)}
    made = settings.api(asked.environ).post("accounts", body)
    return say(asked, f"{made['login']} may sign in.", made)


def reset_password(asked: argparse.Namespace) -> int:
    from services.gateway import accounts
    from services.gateway.passwords import hash_password

    if not agreed(asked, f"Give {asked.login} another password and sign them out?"):
        return REFUSED
    hashed = hash_password(_password(asked))
    with _gateway(asked) as session:
        account = accounts.existing_account(session, asked.login)
        ended = accounts.change_password(session, account, hashed)
    text = f"{asked.login} has another password; {ended} sessions ended."
    text += " A lock after wrong passwords ends by itself within 15 minutes."
    return say(asked, text, {"login": asked.login, "sessions_ended": ended})


def sign_out(asked: argparse.Namespace) -> int:
    from services.gateway import accounts

    if not agreed(asked, f"Sign {asked.login} out everywhere?"):
        return REFUSED
    with _gateway(asked) as session:
        account = accounts.existing_account(session, asked.login)
        ended = accounts.end_sessions(session, account.person)
    return say(asked, f"{ended} sessions ended.", {"login": asked.login, "sessions_ended": ended})


def disable(asked: argparse.Namespace) -> int:
    from services.gateway import accounts

    if not agreed(asked, f"Take {asked.login}'s login, sessions and API keys away?"):
        return REFUSED
    with _gateway(asked) as session:
        account = accounts.existing_account(session, asked.login)
        person = str(account.person)
        sessions, keys = accounts.close_account(session, account, now())
    text = f"{asked.login} is gone: {sessions} sessions and {keys} API keys ended. Duties go on:"
    text += f" `linli duties list --person {person}`."
    answer = {"login": asked.login, "person": person, "sessions_ended": sessions}
    return say(asked, text, {**answer, "api_keys_revoked": keys})


@contextmanager
def _gateway(asked: argparse.Namespace) -> Iterator[Session]:
    """A session of the gateway's database, committed at the end of the block."""
    url = settings.database("gateway", asked.environ)
    with settings.connected(url) as connection, Session(connection) as session:
        yield session
        session.commit()


def _takes_password(command: argparse.ArgumentParser) -> None:
    text = "a file whose first line is the password; else LINLI_PASSWORD, else it is asked for"
    command.add_argument("--password-file", type=Path, metavar="FILE", help=text)


def _password(asked: argparse.Namespace) -> str:
    """Never an argument: other users see those of every process."""
    from services.gateway.accounts import checked_password

    try:
        return checked_password(_given(asked))
    except (ValueError, OSError) as error:
        raise Refused(str(error)) from None


def _given(asked: argparse.Namespace) -> str:
    if asked.password_file:
        return str(asked.password_file.read_text(encoding="utf-8")).partition("\n")[0]
    if password := asked.environ.get("LINLI_PASSWORD"):
        return str(password)
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("Password: ")
