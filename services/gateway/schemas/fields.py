"""Field types of the API: strict about JSON types and spellings, and kept as the JSON values they
are.

marshmallow's own read much more than they document ("yes" as a boolean, a UUID in braces); here
what is accepted is what the OpenAPI document says.
"""

import re
from collections.abc import Callable
from datetime import UTC, date
from typing import Any

import phonenumbers
from marshmallow import ValidationError, fields
from marshmallow.validate import Length, Range, Regexp

from chassis.clock import parse

UUID_PATTERN = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
ID_NUMBER_PATTERN = "[0-9]{17}[0-9Xx]"
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL_PATTERN = rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(\.{_LABEL})+"
LINK_PATTERN = r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][!#-;=?-Z\[\]_a-z~]*)?"
# Levels may be missing, but never change their order.
AREA_PATTERN = r"[1-9][0-9]{11}" + "".join(rf"(\.{level}[1-9][0-9]{{0,4}})?" for level in "egbu")
DEPARTMENT_PATTERN = "[a-z0-9_]{1,40}"
_PHONE_PATTERN = r"\+?[0-9][0-9 ().\-]{4,29}"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEARS = "^(19|[2-8][0-9])[0-9]{2}-"
"""Another zone could carry what lies beyond them past what a date can hold."""
_OUT_OF_LINE = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_SAID = rf"[^\u0000]*[^\s{_OUT_OF_LINE}\u202a-\u202e\u2066-\u2069][^\u0000]*"
_LINE = rf"[^{_OUT_OF_LINE}]*[^\s{_OUT_OF_LINE}][^{_OUT_OF_LINE}]*"


def text(longest: int, shortest: int = 1, **options: Any) -> fields.String:
    """Text of so many characters; NUL, which no database keeps, is refused before it gets here."""
    metadata = {"pattern": "^[^\\u0000]*$", **options.pop("metadata", {})}
    return fields.String(validate=Length(shortest, longest), metadata=metadata, **options)


def said(longest: int, **options: Any) -> fields.String:
    """Text of so many characters in which something can be read."""
    metadata = {"pattern": f"^{_SAID}$", "minLength": 1, **options.pop("metadata", {})}
    validate = [Length(max=longest), Whole(_SAID)]
    return fields.String(validate=validate, metadata=metadata, **options)


def line(longest: int, **options: Any) -> fields.String:
    """One line of text, not blank, without control characters."""
    metadata = {"pattern": f"^{_LINE}$", "minLength": 1, **options.pop("metadata", {})}
    validate = [Length(max=longest), Whole(_LINE)]
    return fields.String(validate=validate, metadata=metadata, **options)


def one_of(pattern: str, **options: Any) -> fields.String:
    """Text that the whole of a pattern fits. `$` would let a final line break pass, and `\\Z` is
    not of JavaScript's dialect.
    """
    metadata = {"pattern": f"^{pattern}$", **options.pop("metadata", {})}
    return fields.String(validate=Whole(pattern), metadata=metadata, **options)


def id_number(**options: Any) -> fields.String:
    """The 18 characters of a resident ID number (GB 11643)."""
    return one_of(ID_NUMBER_PATTERN, **options)


def email(**options: Any) -> fields.String:
    """An e-mail address as the HTML standard has it, with a dot in its domain; at most 254
    characters (RFC 5321).
    """
    metadata = {"pattern": f"^{EMAIL_PATTERN}$"}
    checks = [Whole(EMAIL_PATTERN), Length(max=254)]
    return fields.String(validate=checks, metadata=metadata, **options)


def cursor(**options: Any) -> fields.String:
    """A cursor, which only its list can read."""
    return one_of("[A-Za-z0-9_-]{1,500}", **options)


def link(**options: Any) -> fields.String:
    """An address that browsers open: https, of ASCII (RFC 3986), without user and password."""
    metadata = {"pattern": f"^{LINK_PATTERN}$", "format": "uri"}
    checks = [Whole(LINK_PATTERN), Length(max=2000)]
    return fields.String(validate=checks, metadata=metadata, **options)


def area(**options: Any) -> fields.String:
    """An area's code."""
    return one_of(AREA_PATTERN, **options)


def department(**options: Any) -> fields.String:
    """A department's code."""
    return one_of(DEPARTMENT_PATTERN, **options)


def count(least: int, most: int, **options: Any) -> fields.Integer:
    """A JSON integer within bounds."""
    return _Count(strict=True, validate=Range(least, most), **options)


class Whole(Regexp):
    """Like Regexp, but the whole text must fit."""

    def __init__(self, pattern: str) -> None:
        super().__init__(rf"(?:{pattern})\Z")


class _Spelt(fields.String):
    """A string of a JSON Schema `format`, checked by `check`, which raises ValueError."""

    format = ""
    pattern: str | None = None
    check: Callable[[str], Any]

    def __init__(self, **options: Any) -> None:
        spelling = {"pattern": self.pattern} if self.pattern else {}
        metadata = {"format": self.format, **spelling, **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        spelt: str = super()._deserialize(value, attr, data, **kwargs)
        try:
            type(self).check(spelt)
        except ValueError:
            raise ValidationError(f"Not a valid {self.format}.") from None
        return spelt


def _uuid(spelt: str) -> None:
    if not re.fullmatch(UUID_PATTERN, spelt):
        raise ValueError


def _moment(spelt: str) -> None:
    if not _MOMENT.fullmatch(spelt):
        raise ValueError
    parse(spelt.upper())
    if not re.match(_YEARS, spelt):
        raise ValueError


def _day(spelt: str) -> None:
    if not _DAY.fullmatch(spelt) or not re.match(_YEARS, spelt):
        raise ValueError
    date.fromisoformat(spelt)


class Uuid(_Spelt):
    """A UUID in its usual spelling."""

    format = "uuid"
    check = staticmethod(_uuid)


class Moment(_Spelt):
    """An RFC 3339 date-time with a zone; loads as the same moment in UTC, for PostgreSQL takes no
    offset of 16 hours or more.
    """

    format, pattern = "date-time", _YEARS
    check = staticmethod(_moment)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        spelt = super()._deserialize(value, attr, data, **kwargs)
        return parse(spelt.upper()).astimezone(UTC).isoformat()


class Day(_Spelt):
    """A calendar day, `2026-11-01`."""

    format, pattern = "date", _YEARS
    check = staticmethod(_day)


class Phone(fields.String):
    """A phone number, read as a Chinese one unless it begins with `+`; loads as E.164."""

    def __init__(self, **options: Any) -> None:
        metadata = {"pattern": f"^{_PHONE_PATTERN}$", **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        spelt = super()._deserialize(value, attr, data, **kwargs)
        number = _read_phone(spelt) if re.fullmatch(_PHONE_PATTERN, spelt, re.ASCII) else None
        if number is None:
            raise ValidationError("Not a valid phone number.")
        return number


def _read_phone(spelt: str) -> str | None:
    try:
        number = phonenumbers.parse(spelt, "CN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


class _Count(fields.Integer):
    """An integer, which JSON Schema lets be spelt `1.0` as well."""

    def _validated(self, value: Any) -> int:
        whole = isinstance(value, float) and value.is_integer()
        return super()._validated(int(value) if whole else value)


class Flag(fields.Boolean):
    """true or false, and nothing that might be meant for one."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Map(fields.Dict):
    """An object with names of its own, of `most` members at most. A fault is pointed at by its
    name; marshmallow would add `key` or `value`.
    """

    def __init__(self, *, most: int | None = None, **options: Any) -> None:
        if most is not None:
            options["metadata"] = {**options.get("metadata", {}), "maxProperties": most}
            # Of a Length itself apispec would say that it is a text's.
            options["validate"] = Length(max=most).__call__
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(  # type: ignore[no-untyped-call]
                value, attr, data, **kwargs
            )
        except ValidationError as error:
            if not isinstance(error.messages, dict):
                raise
            told = {
                name: fault.get("value", fault.get("key")) if isinstance(fault, dict) else fault
                for name, fault in error.messages.items()
            }
            raise ValidationError(told) from None


class Answer(fields.Field[Any]):
    """What somebody answers to a question: text, a number or a list of keys. Which of them it takes
    is for the question's owner to say.
    """

    _TEXT = {"type": "string", "maxLength": 2000, "pattern": "^[^\\u0000]*$"}
    _LIST = {"type": "array", "maxItems": 50, "items": _TEXT}

    def __init__(self) -> None:
        super().__init__(metadata={"oneOf": [self._TEXT, {"type": "number"}, self._LIST]})

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        said = value if isinstance(value, list) else [value]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number or (len(said) <= 50 and all(map(_is_text, said))):
            return value
        raise ValidationError("Not a text, a number or a list of texts.")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 2000


class Degrees(fields.Float):
    """A JSON number of degrees."""

    def __init__(self, most: float, **options: Any) -> None:
        super().__init__(validate=Range(-most, most), **options)

    def _validated(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class QueryFlag(fields.Boolean):
    """`true` or `false` in a query."""

    truthy = {"true"}
    falsy = {"false"}


class QueryCount(fields.Integer):
    """Digits in a query, within bounds."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(validate=Range(least, most), **options)

    def _validated(self, value: Any) -> int:
        if not re.fullmatch("-?[0-9]{1,9}", str(value)):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)
