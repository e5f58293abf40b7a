"""The shapes of what residents accepts about households."""

from uuid import UUID

from marshmallow import Schema, fields
from marshmallow.validate import OneOf, Range

from services.residents.schemas import AreaCode, Key, Page, PersonalLine

TENURES = ("owned", "rented", "public", "collective", "other")

_LONGEST_DOOR = 200


def _tenure(**options: object) -> fields.String:
    return fields.String(validate=OneOf(TENURES), **options)  # type: ignore[arg-type]


class HouseholdRef(Schema):
    """One household."""

    id = Key(UUID)


class RegisterHousehold(Schema):
    """A household to register: its area, its door there, since when (today)."""

    area = AreaCode(required=True)
    door = PersonalLine(_LONGEST_DOOR, required=True)
    tenure = _tenure(load_default="other")
    starts = fields.Date(load_default=None, allow_none=True, data_key="from")


class AmendHousehold(HouseholdRef):
    """What to change of a household; what is left out stays. `version`, if given, must be the
    present one.
    """

    area = AreaCode()
    door = PersonalLine(_LONGEST_DOOR)
    tenure = _tenure()
    version = fields.Integer(validate=Range(1))


class CloseHousehold(HouseholdRef):
    """The last day of a household (today)."""

    ends = fields.Date(load_default=None, allow_none=True, data_key="to")


class ListHouseholds(Page):
    """Which households to list: in a place, of a tenure; `recorded`: whether people were recorded
    there; `closed`: those that are over instead.
    """

    within = AreaCode()
    tenure = _tenure()
    recorded = fields.Boolean()
    closed = fields.Boolean(load_default=False)
