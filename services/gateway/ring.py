"""The newest messages of the log stream in memory, from which everybody who is up to date is
served.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from services.gateway.feed import Item

_OFFSET = attrgetter("offset")


class Ring:
    """Items in the order of their offsets, the oldest of which make room; offsets have no holes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: list[Item] = []
        # The subjects of which something public may be here.
        self._public: set[str] = set()

    @property
    def first(self) -> int | None:
        """The oldest offset it holds."""
        return self._items[0].offset if self._items else None

    @property
    def last(self) -> Item | None:
        """The newest item."""
        return self._items[-1] if self._items else None

    def append(self, item: Item) -> None:
        """Add the next item; what it hides is public here no more."""
        if item.facts and item.facts.hides:
            self._hide(item.facts.subject)
        if item.facts and item.facts.public:
            self._public.add(item.facts.subject)
        self._items.append(item)
        # In halves, for cutting a list costs its length.
        if len(self._items) >= 2 * self._size:
            del self._items[: self._size]
            self._public = {
                item.facts.subject for item in self._items if item.facts and item.facts.public
            }

    def after(self, offset: int, limit: int) -> Sequence[Item]:
        """At most `limit` items after `offset`."""
        start = bisect_right(self._items, offset, key=_OFFSET)
        return self._items[start : start + limit]

    def at(self, offset: int) -> Item | None:
        """The item at `offset`, if it is here."""
        found = self.after(offset - 1, 1)
        return found[0] if found and found[0].offset == offset else None

    def clear(self) -> None:
        """Forget everything: the stream is another one, or is read again."""
        self._items, self._public = [], set()

    def _hide(self, subject: str) -> None:
        if subject not in self._public:
            return
        self._public.remove(subject)
        for at, item in enumerate(self._items):
            if item.facts and item.facts.public and item.facts.subject == subject:
                self._items[at] = replace(item, facts=replace(item.facts, public=False))
