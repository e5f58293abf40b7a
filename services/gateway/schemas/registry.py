"""Areas, residents, duties and departments, as the registry keeps them."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, validates_schema
from marshmallow import fields as base
from marshmallow.validate import OneOf

from services.gateway.schemas import fields
from services.gateway.schemas.common import AREA_LEVELS, LOCALES, Names, Page

ROLES = (
    "administrator", "anchor_household", "building_chief", "clerk", "department_clerk",
    "grid_head", "grid_worker", "mediator", "secretary",
)  # fmt: skip


class AtLeastOne(Schema):
    """A change of something: one field at least."""

    also = {"minProperties": 1}

    @validates_schema(skip_on_field_errors=True)
    def _something(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError("Say what to change.")


class NewArea(Schema):
    """A place to add to the tree; its parent must be there. An official area may go without a name,
    and brings what holds it along.
    """

    example = {"code": "340603008002.e1.g2", "name": "第二网格", "names": {"en": "Grid 2"}}

    code = fields.area(required=True)
    level = base.String(validate=OneOf(AREA_LEVELS))
    name = fields.line(100)
    names = base.Nested(Names)


class AreaChange(AtLeastOne):
    """A new name for a place; its code and its position stay."""

    example = {"name": "第二网格（北）"}

    name = fields.line(100, required=True)
    names = base.Nested(Names)


class Area(Schema):
    """A place in the tree; `path` leads from the district down to it."""

    code = base.String(required=True)
    level = base.String(required=True, validate=OneOf(AREA_LEVELS))
    name = base.String(required=True)
    names = base.Nested(Names, required=True)
    parent = base.String(required=True, allow_none=True)
    path = base.List(base.String(), required=True)


class OfficialArea(Schema):
    """An area of the official table; `short_name` is without its committee, `above` the names of
    what holds it, from the province down.
    """

    code = base.String(required=True)
    level = base.String(required=True, validate=OneOf(("province", "city", *AREA_LEVELS[:3])))
    parent = base.String(required=True, allow_none=True)
    name = base.String(required=True)
    short_name = base.String(required=True)
    above = base.List(base.String(), required=True)


class OfficialQuery(Schema):
    """What to look for: the beginning of a code or of a name, or what a place is called for short;
    `under` a place.
    """

    q = fields.line(50, required=True)
    under = fields.area()
    limit = fields.QueryCount(1, 50, load_default=20)


class AreaQuery(Page):
    """Which places to list."""

    within = fields.area()
    level = base.String(validate=OneOf(AREA_LEVELS))
    near = fields.area(metadata={"description": "nearest to this place first"})


class NewResident(Schema):
    """A person for the register."""

    example = {"name": "王芳", "phone": "13800000001", "area": "340603008002.e1.g1.b1.u1"}

    name = fields.line(50, required=True)
    phone = fields.Phone(allow_none=True)
    id_number = fields.id_number(allow_none=True)
    email = fields.email(allow_none=True)
    area = fields.area(allow_none=True)
    address = fields.line(200, allow_none=True)
    locale = base.String(validate=OneOf(LOCALES))


class ResidentChange(AtLeastOne):
    """What to change of a person; null removes."""

    example = {"address": "1 号楼 1 单元 402"}

    name = fields.line(50)
    phone = fields.Phone(allow_none=True)
    id_number = fields.id_number(allow_none=True)
    email = fields.email(allow_none=True)
    area = fields.area(allow_none=True)
    address = fields.line(200, allow_none=True)
    locale = base.String(validate=OneOf(LOCALES))


class ResidentListed(Schema):
    """A person among others; name, phone and ID number are masked."""

    id = fields.Uuid(required=True)
    name = base.String(required=True, allow_none=True)
    phone = base.String(required=True, allow_none=True)
    id_number = base.String(required=True, allow_none=True)
    area = base.String(required=True, allow_none=True)
    registered_at = fields.Moment(required=True)


class Resident(ResidentListed):
    """A person; phone, ID number and e-mail address are masked."""

    email = base.String(required=True, allow_none=True)
    address = base.String(required=True, allow_none=True)
    locale = base.String(required=True)


class ResidentQuery(Page):
    """Whose entries to list."""

    within = fields.area()


class ResidentSearch(Schema):
    """Whom to look for, by name or by one whole number."""

    example = {"phone": "13800000001"}
    also = {"anyOf": [{"required": [name]} for name in ("name", "phone", "id_number")]}

    name = fields.line(50)
    phone = fields.Phone()
    id_number = fields.id_number()
    within = fields.area()
    after = fields.cursor()
    limit = fields.count(1, 200)

    @validates_schema(skip_on_field_errors=True)
    def _something(self, data: Mapping[str, Any], **_: Any) -> None:
        if not set(data) & {"name", "phone", "id_number"}:
            raise ValidationError("Give a name, a phone or an ID number.")


class NewDuty(Schema):
    """A duty to give to a person, from the day `from` to the day `to`, both included."""

    class Meta:
        include = {
            "from": fields.Day(required=True),
            "to": fields.Day(allow_none=True),
        }

    example = {
        "person": "01890a5d-ac96-774b-bcce-b302099a8057",
        "role": "grid_worker",
        "area": "340603008002.e1.g1",
        "from": "2026-11-01",
    }

    person = fields.Uuid(required=True)
    role = base.String(required=True, validate=OneOf(ROLES))
    area = fields.area(allow_none=True)
    department = fields.department(allow_none=True)


class DutyChange(Schema):
    """The last day of a duty; null opens it again."""

    example = {"to": "2026-12-31"}

    to = fields.Day(required=True, allow_none=True)


class Duty(Schema):
    """A duty; `to` is its last day, or null."""

    class Meta:
        include = {
            "from": fields.Day(required=True),
            "to": fields.Day(required=True, allow_none=True),
        }

    id = fields.Uuid(required=True)
    person = fields.Uuid(required=True)
    role = base.String(required=True)
    area = base.String(required=True, allow_none=True)
    department = base.String(required=True, allow_none=True)


class DutyQuery(Page):
    """Which duties to list; `on`: those in force on that day."""

    person = fields.Uuid()
    role = base.String(validate=OneOf(ROLES))
    within = fields.area()
    department = fields.department()
    on = fields.Day()


class NewDepartment(Schema):
    """A department or partner organisation that takes tickets or follows them."""

    example = {"code": "water", "name": "供水公司", "names": {"en": "Water company"}}

    code = fields.department(required=True)
    name = fields.line(100, required=True)
    names = base.Nested(Names)


class DepartmentChange(AtLeastOne):
    """What to change of a department; `active` false closes it."""

    example = {"active": False}

    name = fields.line(100)
    names = base.Nested(Names)
    active = fields.Flag()


class Department(Schema):
    """A department."""

    code = base.String(required=True)
    name = base.String(required=True)
    names = base.Nested(Names, required=True)
    active = base.Boolean(required=True)


class DepartmentQuery(Page):
    """Which departments to list."""

    active = fields.QueryFlag()


class DepartmentClerk(Schema):
    """Somebody who works for a department, their name masked; `to` is the last day, or null."""

    class Meta:
        include = {
            "from": fields.Day(required=True),
            "to": fields.Day(required=True, allow_none=True),
        }

    duty = fields.Uuid(required=True)
    person = fields.Uuid(required=True)
    name = base.String(required=True, allow_none=True)


class DepartmentClerkQuery(Page):
    """Who is to be listed: whoever worked there `on` a day; today, unless another is given."""

    on = fields.Day()
