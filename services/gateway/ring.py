"""The newest messages of the log stream in memory, from which everybody who is up to date is
served.
"""

from bisect import bisect_right
from collections.abc import Sequence

from services.gateway.feed import Item


class Ring:
    """Items in the order of their offsets, the oldest of which make room; offsets have no holes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: list[Item] = []

    @property
    def first(self) -> int | None:
        """The oldest offset it holds."""
        return self._items[0].offset if self._items else None

    @property
    def last(self) -> Item | None:
        """The newest item."""
        return self._items[-1] if self._items else None

    def append(self, item: Item) -> None:
        """Add the next item."""
        self._items.append(item)
        # In halves, for cutting a list costs its length.
        if len(self._items) >= 2 * self._size:
            del self._items[: self._size]

    def after(self, offset: int, limit: int) -> Sequence[Item]:
        """At most `limit` items after `offset`."""
        start = bisect_right(self._items, offset, key=lambda item: item.offset)
        return self._items[start : start + limit]

    def at(self, offset: int) -> Item | None:
        """The item at `offset`, if it is here."""
        found = self.after(offset - 1, 1)
        return found[0] if found and found[0].offset == offset else None

    def clear(self) -> None:
        """Forget everything: the stream is another one, or is read again."""
        self._items = []
