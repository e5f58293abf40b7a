"""Whom an event concerns."""

import pytest

from services.tickets.routing import concerned


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (None, None, ()),
        ("water", None, ("water",)),
        ("water", "water", ("water",)),
        ("roads", "water", ("roads", "water")),
        (None, "water", ("water",)),
    ],
    ids=["nobody", "gained", "kept", "moved: the gaining one first", "lost: who had it"],
)
def test_who_is_concerned(now: str | None, before: str | None, expected: tuple[str, ...]) -> None:
    assert concerned(now, before) == expected
