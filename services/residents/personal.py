"""Values that must not be shown by accident."""

from typing import Final


class Personal:
    """A name, number or address in plain text, which no log, traceback or error message will spell
    out.

    `repr` and `str` are blank; whoever needs the text says so by calling `reveal`.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text: Final = text

    def reveal(self) -> str:
        """The text itself, to be sealed, indexed, masked or answered, and nothing else."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Personal) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Personal(…)"
