"""Phone and ID numbers in free text are masked before it is stored: what has no place there is not
kept, and need not be erased.

What counts is the plan of phone numbers (E.164, by the library phonenumbers) and the birth date and
check digit of an ID number (GB 11643), so that other long numbers stay.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import phonenumbers
from phonenumbers import (
    Leniency,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberMatcher,
    PhoneNumberType,
)
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

Span = tuple[int, int]

# Between the digits of a number people write spaces, dots and dashes; full-width ones are folded.
_GAP = r"[ .\-]{0,3}"
_ID_NUMBER = re.compile(rf"(?<![0-9])[1-9](?:{_GAP}[0-9]){{16}}{_GAP}[0-9Xx](?![0-9])")
# A mobile number in any grouping; phonenumbers' own matcher wants one that somebody might print.
_MOBILE = re.compile(rf"(?<![0-9])(?:(?:\+|00)?86{_GAP})?1{_GAP}[3-9](?:{_GAP}[0-9]){{9}}(?![0-9])")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－﹣·．"), "-")
_STARS_OF_ID = 11
_SHORTEST_SHOWN = 11
_CHINA = 86
_SHORTEST_LANDLINE = 10
# Service lines such as 400 800 8888, which texts are meant to pass on.
_OF_NOBODY = frozenset({PhoneNumberType.TOLL_FREE, PhoneNumberType.SHARED_COST})


class Screened(str):
    """A text in which something was masked."""

    __slots__ = ()


def screen(text: str) -> str:
    """The text with every phone number as `138****1234` and every ID number as
    `340***********1234`; a `Screened` if there was any.
    """
    folded, origins = _folded(text)
    found = sorted(_found(folded), reverse=True)
    if not found:
        return text
    for start, end, mask in found:
        text = text[: origins[start]] + mask + text[origins[end - 1] + 1 :]
    return Screened(text)


def masked_in(fields: Mapping[str, Any]) -> list[str]:
    """The names of those fields in which something was masked, in themselves or in a field of
    theirs.
    """
    return sorted(
        name
        for name, value in fields.items()
        if isinstance(value, Screened) or (isinstance(value, Mapping) and masked_in(value))
    )


def _folded(text: str) -> tuple[str, list[int]]:
    """The text in plain digits and signs, without what is invisible, and where each character
    stood.
    """
    kept = [
        (unicodedata.normalize("NFKC", character).translate(_DASHES), place)
        for place, character in enumerate(text)
        if unicodedata.category(character) != "Cf"
    ]
    # A character that stands for several (℡, ①②) would move the others: it is none of ours.
    return (
        "".join(plain if len(plain) == 1 else " " for plain, _ in kept),
        [place for _, place in kept],
    )


def _found(text: str) -> Iterator[tuple[int, int, str]]:
    taken: list[Span] = []
    for start, end, mask in (*_id_numbers(text), *_phones(text)):
        if all(end <= other_start or start >= other_end for other_start, other_end in taken):
            taken.append((start, end))
            yield start, end, mask


def _id_numbers(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _ID_NUMBER.finditer(text):
        number = re.sub("[^0-9X]", "", match[0].upper())
        if _is_id_number(number):
            yield *match.span(), f"{number[:3]}{'*' * _STARS_OF_ID}{number[-4:]}"


def _is_id_number(number: str) -> bool:
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return False
    return bool(ric.calc_check_digit(number) == number[-1])


def _phones(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _MOBILE.finditer(text):
        digits = re.sub("[^0-9]", "", match[0])[-_SHORTEST_SHOWN:]
        if phonenumbers.is_valid_number(phonenumbers.parse(digits, "CN")):
            yield *match.span(), _masked(digits)
    for found in PhoneNumberMatcher(text, "CN", leniency=Leniency.VALID):
        if phonenumbers.number_type(found.number) in _OF_NOBODY or _is_short(found.number):
            continue
        national = phonenumbers.format_number(found.number, PhoneNumberFormat.NATIONAL)
        yield found.start, found.end, _masked(re.sub("[^0-9]", "", national))


def _is_short(number: PhoneNumber) -> bool:
    """Whether it has fewer digits than a landline has with its area code (2 or 3, then 7 or 8, by
    the country's numbering plan): it is a meter or an account.
    """
    here = number.country_code == _CHINA
    return here and len(phonenumbers.national_significant_number(number)) < _SHORTEST_LANDLINE


def _masked(digits: str) -> str:
    head = digits[:3] if len(digits) >= _SHORTEST_SHOWN else ""
    return f"{head}****{digits[-4:]}"
