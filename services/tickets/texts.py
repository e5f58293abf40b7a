"""What people type, made fit to keep and to find again."""

import re
import unicodedata
from collections.abc import Iterator

# Directional overrides can make a text read as something else than it is.
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KEPT = frozenset("\n\t")
_WORD = re.compile(r"[^\W_]+")
# A long text's beginning says what it is about; PostgreSQL also keeps no position past 16,383.
_SEARCHED = 400


def clean(text: str) -> str:
    """The text as it is kept: NFC, line ends as `\\n`, no control characters, half surrogates or
    overrides, no outer space.
    """
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", "".join(filter(_is_kept, unix))).strip()


def _is_kept(character: str) -> bool:
    if character in _KEPT:
        return True
    return character not in _BIDI and unicodedata.category(character) not in ("Cc", "Cs")


def findable(*parts: str | None) -> str:
    """What a text is found by, as a PostgreSQL tsvector: each pair of neighbouring letters with its
    position.

    Pairs, because Chinese has no spaces between words and most of its words have two letters, too
    short for trigrams. A word's last letter is a pair by itself.
    """
    text = " ".join(part[:_SEARCHED] for part in parts if part)
    return " ".join(f"'{pair}':{position}" for position, pair in enumerate(_pairs(text), start=1))


def _pairs(text: str) -> Iterator[str]:
    for word in _words(text):
        yield from (word[start : start + 2] for start in range(len(word)))


def wanted(query: str) -> str | None:
    """The tsquery of the texts that contain each of the query's words in some word; None when it
    has none.
    """
    return " & ".join(f"({_phrase(word)})" for word in _words(query)) or None


def _phrase(word: str) -> str:
    if len(word) == 1:
        return f"'{word}':*"
    return " <-> ".join(f"'{word[start : start + 2]}'" for start in range(len(word) - 1))


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
