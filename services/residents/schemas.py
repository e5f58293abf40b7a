"""The shapes of what residents accepts. Unknown fields are refused; what is personal comes out as
`Personal`, in one spelling.
"""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import OneOf, Range, Regexp

from chassis import topology
from chassis.errors import NotFound
from services.residents import area_codes, duty_rules, identifiers, paging
from services.residents.personal import Personal

LOCALES = ("zh-CN", "en")

# Control characters, lone surrogates and line or paragraph separators have no place in a line of
# text (and NUL none in PostgreSQL).
_REFUSED = {"Cc", "Cs", "Zl", "Zp"}


class Line(fields.String):
    """One line of text, 1 to 100 characters, without spaces at its ends."""

    longest = 100

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        text: str = super()._deserialize(value, attr, data, **kwargs).strip()
        if not 1 <= len(text) <= self.longest:
            raise ValidationError(f"Must be 1 to {self.longest} characters long.")
        if any(unicodedata.category(character) in _REFUSED for character in text):
            raise ValidationError("Must be one line without control characters.")
        return text


class PersonalLine(Line):
    """One line of text that is personal."""

    def __init__(self, longest: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest = longest

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return Personal(super()._deserialize(value, attr, data, **kwargs))


class PersonalNumber(fields.String):
    """A number or address that belongs to one person, in the spelling that `read` gives it."""

    def __init__(self, read: Callable[[str], str], message: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._read = read
        self._message = message

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return Personal(self._read(text))
        except ValueError:
            raise ValidationError(self._message) from None


class AreaCode(fields.String):
    """The code of a place, in a command's body."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        code = super()._deserialize(value, attr, data, **kwargs)
        try:
            area_codes.level(code)
        except area_codes.MalformedCode:
            raise ValidationError("Not an area code of 12 digits and dotted parts.") from None
        return code


class Key(fields.String):
    """The id or code that a resource is addressed by: one that cannot be is not found, rather than
    invalid.
    """

    def __init__(self, read: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(required=True, **kwargs)
        self._read = read

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return self._read(text)
        except ValueError:
            raise NotFound from None


def _area_key(text: str) -> str:
    area_codes.level(text)
    return text


def _department_key(text: str) -> str:
    if not topology.CODE.fullmatch(text):
        raise ValueError
    return text


def _phone(**kwargs: Any) -> PersonalNumber:
    return PersonalNumber(identifiers.phone, "Not a valid phone number.", **kwargs)


def _id_number(**kwargs: Any) -> PersonalNumber:
    message = "Not a valid resident ID number of 18 characters."
    return PersonalNumber(identifiers.id_number, message, **kwargs)


def _email(**kwargs: Any) -> PersonalNumber:
    return PersonalNumber(identifiers.email, "Not a valid e-mail address.", **kwargs)


def _department(**kwargs: Any) -> fields.String:
    message = "Must be 1 to 40 of a-z, 0-9 and _."
    return fields.String(validate=Regexp(topology.CODE.pattern + r"\Z", error=message), **kwargs)


class Names(Schema):
    """The same name in several languages."""

    zh = Line()
    en = Line()


class Page(Schema):
    """Where a list goes on, and how many rows at most."""

    after = fields.String(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=paging.DEFAULT_LIMIT, validate=Range(1, paging.MAX_LIMIT))


class AreaRef(Schema):
    """One place."""

    code = Key(_area_key)


class AddArea(Schema):
    """A place to add; `level`, if given, must be what the code says, and `name` may be left out of
    an official one.
    """

    code = AreaCode(required=True)
    level = fields.String(validate=OneOf(area_codes.LEVELS))
    name = Line()
    names = fields.Nested(Names)

    @validates_schema(skip_on_field_errors=True)
    def _level_is_that_of_the_code(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("level", area_codes.level(data["code"])) != area_codes.level(data["code"]):
            raise ValidationError("This is not the level of the code.", "level")


class RenameArea(AreaRef):
    """A new name for a place."""

    name = Line(required=True)
    names = fields.Nested(Names)


class ListAreas(Page):
    """Which places to list: those in `within`, of one `level`; nearest to `near` first."""

    within = AreaCode()
    level = fields.String(validate=OneOf(area_codes.LEVELS))
    near = AreaCode()


class AreaChildren(AreaRef, Page):
    """The places right below one."""


class ResidentRef(Schema):
    """One person."""

    id = Key(UUID)


class RegisterResident(Schema):
    """A person to put on the register."""

    name = PersonalLine(50, required=True)
    phone = _phone(load_default=None, allow_none=True)
    id_number = _id_number(load_default=None, allow_none=True)
    email = _email(load_default=None, allow_none=True)
    area = AreaCode(load_default=None, allow_none=True)
    address = PersonalLine(200, load_default=None, allow_none=True)
    locale = fields.String(validate=OneOf(LOCALES))


class EnsureResident(Schema):
    """A person known by phone. The name is kept if the person was unknown; `signing_in`: they shall
    be let in by it; `known`: only if they are known already.
    """

    phone = _phone(required=True)
    name = PersonalLine(50, load_default=None, allow_none=True)
    signing_in = fields.Boolean(load_default=False)
    known = fields.Boolean(load_default=False)


class AmendResident(ResidentRef):
    """What to change of a person; what is left out stays, null removes."""

    name = PersonalLine(50)
    phone = _phone(allow_none=True)
    id_number = _id_number(allow_none=True)
    email = _email(allow_none=True)
    area = AreaCode(allow_none=True)
    address = PersonalLine(200, allow_none=True)
    locale = fields.String(validate=OneOf(LOCALES))


class FindResidents(Page):
    """Whom to look for: by whole phone number, ID number or name, or in a place."""

    phone = _phone()
    id_number = _id_number()
    name = PersonalLine(50)
    within = AreaCode()


class DutyRef(Schema):
    """One duty."""

    id = Key(UUID)


class StartDuty(Schema):
    """A duty to give to a person, from the day `from` to the day `to`, both included."""

    person = fields.UUID(required=True)
    role = fields.String(required=True, validate=OneOf(sorted(duty_rules.ROLES)))
    area = AreaCode(load_default=None, allow_none=True)
    department = _department(load_default=None, allow_none=True)
    starts = fields.Date(required=True, data_key="from")
    ends = fields.Date(load_default=None, allow_none=True, data_key="to")


class EndDuty(DutyRef):
    """The last day of a duty; null opens it again."""

    ends = fields.Date(required=True, allow_none=True, data_key="to")


class ListDuties(Page):
    """Which duties to list: of a person, a role, a department, in a place, in force on a day."""

    person = fields.UUID()
    role = fields.String(validate=OneOf(sorted(duty_rules.ROLES)))
    within = AreaCode()
    department = _department()
    on = fields.Date()


class DepartmentRef(Schema):
    """One department."""

    code = Key(_department_key)


class AddDepartment(Schema):
    """A department to add."""

    code = _department(required=True)
    name = Line(required=True)
    names = fields.Nested(Names)

    @validates_schema(skip_on_field_errors=True)
    def _code_is_free_to_use(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["code"] in topology.RESERVED_CODES:
            raise ValidationError("This code is reserved.", "code")


class ChangeDepartment(DepartmentRef):
    """What to change of a department; what is left out stays."""

    name = Line()
    names = fields.Nested(Names)
    active = fields.Boolean()


class ListDepartments(Page):
    """Which departments to list."""

    active = fields.Boolean()
