"""Households, as the registry keeps them."""

from marshmallow import Schema
from marshmallow import fields as base
from marshmallow.validate import OneOf

from services.gateway.schemas import fields
from services.gateway.schemas.common import Page
from services.gateway.schemas.registry import AtLeastOne
from services.gateway.schemas.tickets import Dated

TENURES = ("owned", "rented", "public", "collective", "other")


class NewHousehold(Dated):
    """A household to register, `from` today unless another day is given. Its area is the building
    or unit; a grid, estate or community will do where it has no buildings.
    """

    class Meta:
        include = {"from": fields.Day(allow_none=True)}

    example = {
        "area": "340603008002.e1.g1.b1.u1",
        "door": "402",
        "tenure": "owned",
        "from": "2019-05-01",
    }

    area = fields.area(required=True)
    door = fields.line(200, required=True)
    tenure = base.String(validate=OneOf(TENURES))


class HouseholdChange(AtLeastOne):
    """What to change of a household."""

    example = {"tenure": "rented"}

    area = fields.area()
    door = fields.line(200)
    tenure = base.String(validate=OneOf(TENURES))


class Closure(Dated):
    """The last day of a household, today unless another day is given."""

    example = {"to": "2026-11-01"}

    to = fields.Day(allow_none=True)


class Household(Schema):
    """A household in its grid and building, null where its place has none. `recorded_at`: when
    people were first recorded in it.
    """

    class Meta:
        include = {
            "from": fields.Day(required=True),
            "to": fields.Day(required=True, allow_none=True),
        }

    id = fields.Uuid(required=True)
    area = base.String(required=True)
    grid = base.String(required=True, allow_none=True)
    building = base.String(required=True, allow_none=True)
    door = base.String(required=True, allow_none=True)
    tenure = base.String(required=True, validate=OneOf(TENURES))
    recorded_at = fields.Moment(required=True, allow_none=True)


class HouseholdQuery(Page):
    """Which households to list: the present ones, or with `closed` those that are no more."""

    within = fields.area()
    tenure = base.String(validate=OneOf(TENURES))
    recorded = fields.QueryFlag(metadata={"description": "whether people were recorded in it"})
    closed = fields.QueryFlag()
