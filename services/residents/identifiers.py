"""Phone numbers, resident ID numbers, e-mail addresses and names in the one spelling under which
they are stored and found.
"""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

# phonenumbers would also read letters (vanity numbers) and extensions, which no two people spell
# alike.
_PHONE = re.compile(r"\+?[0-9 ().\-]{5,30}")
# What the HTML standard calls a valid e-mail address, with a dot in its domain: neither comments,
# quoted parts nor line breaks, so that an address is safe in a header.
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")
_LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
_ID_NUMBER = re.compile(r"[1-9][0-9]{5}(?:18|19|20)[0-9]{9}[0-9X]")


class MalformedPhone(ValueError):
    """This is no phone number."""


class MalformedIdNumber(ValueError):
    """This is no resident ID number: it has 18 characters, a date of birth and a check digit."""


class MalformedEmail(ValueError):
    """This is no e-mail address that mail can be sent to."""


def phone(text: str) -> str:
    """The number in E.164, Chinese unless it begins with `+`; raises MalformedPhone."""
    text = unicodedata.normalize("NFKC", text).strip()
    if not _PHONE.fullmatch(text):
        raise MalformedPhone
    try:
        number = phonenumbers.parse(text, "CN")
    except NumberParseException:
        raise MalformedPhone from None
    if not phonenumbers.is_valid_number(number):
        raise MalformedPhone
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def id_number(text: str) -> str:
    """The 18 characters of a resident ID number (GB 11643), its check digit an upper-case X; raises
    MalformedIdNumber.

    Not `ric.validate`: it wants the county to have had its code in the year of birth. But numbers
    are given by where one is registered since 1984, whenever one was born, and it would refuse
    everybody born before 1983 in a county that was numbered then.
    """
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()
    if not _ID_NUMBER.fullmatch(text):
        raise MalformedIdNumber
    try:
        ric.get_birth_date(text)
    except ValidationError:
        raise MalformedIdNumber from None
    if ric.calc_check_digit(text) != text[-1]:
        raise MalformedIdNumber
    return text


def email(text: str) -> str:
    """The address with its domain in lower case; raises MalformedEmail. What stands before the @
    is its owner's to spell.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if len(text) > _LONGEST_EMAIL or not _EMAIL.fullmatch(text):
        raise MalformedEmail
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def name(text: str) -> str:
    """The spelling under which a name is looked for: width, case and spaces do not matter."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
