"""What people have a right to, and what is owed to them, about their personal data."""

from marshmallow import Schema
from marshmallow import fields as base
from marshmallow.validate import Length, OneOf

from services.gateway.schemas import fields

PERSONAL = ("phone", "id_number", "name", "address", "email")


class NewDisclosure(Schema):
    """Which of a person's data to show in full, and why."""

    class Meta:
        # A schema has `fields` of its own.
        include = {
            "fields": base.List(
                base.String(validate=OneOf(PERSONAL)),
                required=True,
                validate=Length(1, len(PERSONAL)),
            )
        }

    example = {"fields": ["phone"], "reason": "工单回访，当面联系不上"}

    reason = fields.text(200, required=True)


class Disclosure(Schema):
    """What was asked for, in full; null where nothing is recorded."""

    phone = base.String(allow_none=True, metadata={"description": "E.164"})
    id_number = base.String(allow_none=True)
    name = base.String(allow_none=True)
    address = base.String(allow_none=True)
    email = base.String(allow_none=True)


class NewErasure(Schema):
    """Why somebody is erased."""

    example = {"reason": "本人书面申请"}

    reason = fields.text(200, required=True)


class Erasure(Schema):
    """Who was erased, and when."""

    id = fields.Uuid(required=True)
    erased_at = fields.Moment(required=True)
