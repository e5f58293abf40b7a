"""Keyset cursors: where a list goes on, as an opaque text."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from services.notifications.errors import BadCursor

Row = TypeVar("Row")


def encode(key: Sequence[object]) -> str:
    """The cursor for the sort key of a page's last row."""
    text = json.dumps([part if isinstance(part, int) else str(part) for part in key])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, *readers: Callable[[str], Any]) -> tuple[Any, ...]:
    """The sort key in a cursor, with a reader for each part; raises BadCursor."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return tuple(read(str(part)) for read, part in zip(readers, key, strict=True))
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise BadCursor(
            errors=[{"pointer": "/after", "code": "bad_cursor", "message": "Not a cursor of ours."}]
        ) from None


def page(
    rows: Sequence[Row],
    limit: int,
    key: Callable[[Row], Sequence[object]],
    answer: Callable[[Row], Any],
) -> dict[str, Any]:
    """`{items, next}` from up to `limit` + 1 rows; the one too many says that there are more."""
    shown = rows[:limit]
    more = len(rows) > limit
    return {
        "items": [answer(row) for row in shown],
        "next": encode(key(shown[-1])) if more else None,
    }
