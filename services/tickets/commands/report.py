"""What is said of a ticket from a system that knows no versions of it: one word, and what follows
from it as the ticket stands.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.call import Call
from services.tickets import rows
from services.tickets.commands import work, writing
from services.tickets.commands.moving import Command
from services.tickets.lifecycle import OPEN
from services.tickets.models import HISTORY
from services.tickets.ticket import Ticket


def report(session: Session, call: Call, command: Command) -> dict[str, Any]:
    """Resolve the ticket with the text, when it is `done` and was not yet; else write the text as a
    public comment. Returns which of its changes that was, `{ticket, sequence}`: a repeated command
    the first one's.

    Raises what `work.resolve` and `writing.comment` raise, but for what is said of versions.
    """
    ticket = rows.locked(session, command["id"])
    if not rows.made(session, call, ticket):
        # Whoever says so may be late, but not wrong: nobody else says what they have done.
        if command["done"] and ticket.state in OPEN:
            words = {"summary": command["text"], "if_match": ticket.version}
            work.resolve(session, call, {"id": ticket.id, **words})
        else:
            comment = {"text": command["text"], "visibility": "public"}
            writing.comment(session, call, {"id": ticket.id, **comment})
    return {"ticket": ticket.id, "sequence": _made(session, call, ticket)}


def _made(session: Session, call: Call, ticket: Ticket) -> int:
    """The change that this command made."""
    found = select(HISTORY.c.sequence).where(
        HISTORY.c.ticket == ticket.id, HISTORY.c.command_id == call.command_id
    )
    return int(session.execute(found).scalar_one())
