"""What a cell of a spreadsheet says, as text. Nothing is worked out: a formula is its own text."""

import math
import re
import unicodedata
from datetime import date, datetime, time
from typing import Any

LONGEST = 1000
"""Characters of a cell; what is longer is no value of any column."""

# Excel keeps 15 digits of a number: an ID number that it took for one has lost its last three.
_EXACT = 10**15
_ROUNDED = re.compile(r"[0-9](?:\.[0-9]+)?E\+[0-9]+", re.IGNORECASE)


class Doubtful(str):
    """A cell that no value can be read from; `fault` says why, and its text is what it says."""

    fault = "invalid_value"


class Formula(Doubtful):
    """A formula. Columns of free text take its text, others refuse it."""

    fault = "formula"


class Rounded(Doubtful):
    """A long number that the spreadsheet has rounded."""

    fault = "digits_lost"


class TooLong(Doubtful):
    """More than any column takes; the text is not kept."""

    fault = "too_long"


def text(value: Any) -> str:
    """A cell as text, without spaces at its ends; empty for an empty one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, date | time):
        return value.isoformat()
    # What is neither text nor a value is a formula over several cells, which carries its text.
    return _spelt(str(getattr(value, "text", None) or value))


def heading(value: str) -> str:
    """A heading as it is looked for: width, case, spaces, `_` and `*` do not matter."""
    spelt = unicodedata.normalize("NFKC", value).casefold()
    return re.sub(r"[\s_*]", "", spelt)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return Doubtful(value)
    if abs(value) >= _EXACT:
        return Rounded(value)
    return str(int(value)) if value == int(value) else str(value)


def _spelt(value: str) -> str:
    value = value.strip()
    if len(value) > LONGEST:
        return TooLong()
    if value.startswith("="):
        return Formula(value)
    return Rounded(value) if _ROUNDED.fullmatch(value) else value
