"""Cursors of lists: where a page ended, as a text that callers hand back unread."""

import base64
import binascii
import json
from datetime import datetime
from uuid import UUID

from chassis import clock
from services.tickets.errors import fault


def after(sort: str, moment: datetime, ticket: str) -> str:
    """The cursor behind a ticket in a list sorted by `sort`, which has `moment` there."""
    text = json.dumps([sort, clock.iso(moment), ticket], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(cursor: str, sort: str) -> tuple[datetime, str]:
    """The moment and the ticket behind which to go on; raises Invalid when it is no cursor of a
    list sorted so.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        sorted_by, moment, ticket = json.loads(text)
        found = clock.parse(moment), str(UUID(ticket))
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise _broken() from error
    if sorted_by != sort:
        raise _broken()
    return found


def after_sequence(sequence: int) -> str:
    """The cursor behind an entry of one ticket's history or comments."""
    return str(sequence)


def read_sequence(cursor: str | None) -> int:
    """The sequence behind which to go on, 0 without a cursor; raises Invalid when it is none."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise _broken()
    return int(cursor)


def _broken() -> Exception:
    return fault("/after", "invalid_cursor", "This is not a cursor of this list.")
