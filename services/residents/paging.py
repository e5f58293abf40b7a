"""Keyset cursors: where a list goes on, as an opaque text."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from services.residents.errors import invalid

MAX_LIMIT = 200
DEFAULT_LIMIT = 50

Row = TypeVar("Row")


def encode(key: Sequence[object]) -> str:
    """The cursor that stands for the sort key of a page's last row."""
    text = json.dumps([part if isinstance(part, int) else str(part) for part in key])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str | None, *readers: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """The sort key in `cursor`, a reader for each of its parts; None stays None. Raises Invalid
    when it is no such cursor.
    """
    if cursor is None:
        return None
    try:
        return tuple(read(part) for read, part in zip(readers, _parts(cursor), strict=True))
    except (ValueError, RecursionError):
        raise invalid("after", "bad_cursor", "This is no cursor of this list.") from None


def text(part: str) -> str:
    """Reads a part of a cursor that is a code; raises ValueError for what no code has in it."""
    if not part.isascii() or not part.isprintable():
        raise ValueError
    return part


def page(
    rows: Sequence[Row],
    limit: int,
    key: Callable[[Row], Sequence[object]],
    answer: Callable[[Row], Any],
) -> dict[str, Any]:
    """`{"items", "next"}` from up to `limit` + 1 rows: the one too many only says that there are
    more.
    """
    shown = rows[:limit]
    more = len(rows) > limit
    return {
        "items": [answer(row) for row in shown],
        "next": encode(key(shown[-1])) if more else None,
    }


def _parts(cursor: str) -> list[str]:
    key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return [str(part) for part in key] if isinstance(key, list) else []
