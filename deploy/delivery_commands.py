"""`linli deliveries`: messages to people that are held after a restore."""

import argparse
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis.clock import iso, now
from deploy import settings
from deploy.commands import REFUSED, add_command, agreed, positive, say


def declare(commands: Any) -> None:
    """Add the commands of this area to the parser."""
    text = "messages that may have been sent before a restore, oldest first"
    command = add_command(commands, "held", held, text)
    command.add_argument("--limit", type=positive, default=50, help="how many (50)")
    text = "send such messages after all; what is too old by now expires"
    command = add_command(commands, "release", release, text, asks=True)
    which = command.add_mutually_exclusive_group(required=True)
    text = "an id that `held` names; may be repeated"
    which.add_argument("--id", action="append", type=UUID, help=text)
    which.add_argument("--all", action="store_true", help="all that are held now")


def held(asked: argparse.Namespace) -> int:
    from services.notifications import restored

    with settings.connected(_database(asked)) as connection, Session(connection) as session:
        rows = restored.held(session, asked.limit)
    items = [
        {
            "id": str(row.id),
            "purpose": row.purpose,
            "person": row.person and str(row.person),
            "created_at": iso(row.created_at),
        }
        for row in rows
    ]
    lines = [f"{each['id']}  {each['created_at']}  {each['purpose']}" for each in items]
    return say(asked, "\n".join(lines) or "Nothing is held.", {"held": items})


def release(asked: argparse.Namespace) -> int:
    from services.notifications import restored

    what = f"{len(asked.id)} messages" if asked.id else "all messages that are held"
    if not agreed(asked, f"Send {what}? People may have had them before the restore."):
        return REFUSED
    with settings.connected(_database(asked)) as connection, Session(connection) as session:
        released = restored.release(session, asked.id, now())
        session.commit()
    return say(asked, f"{released} messages are on their way.", {"released": released})


def _database(asked: argparse.Namespace) -> str:
    return settings.database("notifications", asked.environ)
