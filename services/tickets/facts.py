"""What tickets reads of residents' events, field by field, to keep it."""

from marshmallow import EXCLUDE, INCLUDE, Schema, fields, validate

from services.tickets.schemas import Id


class _Fact(Schema):
    """What is kept of somebody else's event; the rest of it is left alone, so that its owner may
    add to it.
    """

    class Meta:
        unknown = EXCLUDE


class _Names(_Fact):
    """A name in several languages."""

    class Meta:
        unknown = INCLUDE

    zh = fields.String(required=True)


class AreaFact(_Fact):
    """A place as it stands after an event."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    names = fields.Nested(_Names, required=True)
    level = fields.String(required=True)
    path = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    routing = fields.String(required=True)


class DepartmentFact(_Fact):
    """A department as it stands after an event."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    names = fields.Nested(_Names, required=True)
    active = fields.Boolean(required=True)


class DutyFact(_Fact):
    """A duty as it stands after an event."""

    id = Id(required=True, data_key="duty")
    person = Id(required=True)
    role = fields.String(required=True)
    area = fields.String(required=True, allow_none=True)
    department = fields.String(required=True, allow_none=True)
    starts = fields.Date(required=True, data_key="from")
    ends = fields.Date(required=True, allow_none=True, data_key="to")


class PersonFact(_Fact):
    """Whom an event about a resident is about."""

    person = Id(required=True, data_key="resident")
