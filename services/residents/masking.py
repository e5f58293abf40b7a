"""What of a personal value may be shown: enough to recognise one's own, too little to learn
another's.
"""

import phonenumbers
from phonenumbers import PhoneNumberFormat

_CHINA = 86


def mask_phone(e164: str) -> str:
    """`+8613800131234` gives `138****1234`; a number from elsewhere shows its country and its last
    digits: `+852 ****4567`.

    The stars are always four, whatever they stand for; at least four digits are hidden.
    """
    number = phonenumbers.parse(e164)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    digits = "".join(filter(str.isdigit, national))
    head = digits[:3] if len(digits) >= 11 else ""
    tail = digits[-4:] if len(digits) >= 8 else ""
    country = "" if number.country_code == _CHINA else f"+{number.country_code} "
    return f"{country}{head}****{tail}"


def mask_id_number(text: str) -> str:
    """`340603198001011234` gives `340***********1234`: neither the county nor the date of birth is
    left.
    """
    return f"{text[:3]}{'*' * 11}{text[-4:]}"


def mask_email(text: str) -> str:
    """`wang.fang@example.org` gives `w****@example.org`; what stands before the @ is hidden whole
    when it is a single character.
    """
    local, _, domain = text.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}****@{domain}"


def mask_name(text: str) -> str:
    """`王小明` gives `王**`: the first character and two stars, however long the name is."""
    return f"{text[:1]}**"
