"""Households, as the registry keeps them."""

from marshmallow import Schema
from marshmallow import fields as base
from marshmallow.validate import OneOf

from services.gateway.schemas import fields
from services.gateway.schemas.common import AREA_LEVELS, Page
from services.gateway.schemas.registry import AtLeastOne
from services.gateway.schemas.tickets import Dated

TENURES = ("owned", "rented", "public", "collective", "other")
# To the head of the household.
RELATIONS = (
    "head", "spouse", "child", "parent", "grandchild", "grandparent", "sibling", "relative",
    "tenant", "other",
)  # fmt: skip


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
    head = fields.Uuid(allow_none=True)


class HouseholdChange(AtLeastOne):
    """What to change of a household."""

    example = {"tenure": "rented"}

    area = fields.area()
    door = fields.line(200)
    tenure = base.String(validate=OneOf(TENURES))
    head = fields.Uuid(metadata={"description": "one of those who live there"})


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
    head = fields.Uuid(required=True, allow_none=True)
    anchor = base.Boolean(
        required=True,
        metadata={"description": "whether somebody there has the duty of an anchor household"},
    )
    recorded_at = fields.Moment(required=True, allow_none=True)


class HouseholdQuery(Page):
    """Which households to list: the present ones, or with `closed` those that are no more."""

    within = fields.area()
    tenure = base.String(validate=OneOf(TENURES))
    anchor = fields.QueryFlag(metadata={"description": "whether it is an anchor household"})
    recorded = fields.QueryFlag(metadata={"description": "whether people were recorded in it"})
    closed = fields.QueryFlag()


class CoverageQuery(Page):
    """Of which area to count the dwellings, and in it of the places right below or of a level."""

    area = fields.area(required=True)
    level = base.String(validate=OneOf(AREA_LEVELS))


class AreaCoverage(Schema):
    """How many dwellings of an area are known, and in how many of them people were recorded."""

    area = base.String(required=True)
    dwellings = base.Integer(required=True)
    recorded = base.Integer(required=True)
    share = base.Float(
        required=True,
        allow_none=True,
        metadata={"description": "of the dwellings, to four places; null without any"},
    )


class Coverage(AreaCoverage):
    """How far the census of an area is, as a whole and part by part."""

    items = base.List(base.Nested(AreaCoverage), required=True)
    next = base.String(required=True, allow_none=True)


class NewMember(Dated):
    """Somebody who lives in a household, or lived there to the day `to`; `from` today unless
    another day is given. `registered`: it is their registered residence, of which they have one at
    a time; `moving`: they leave the former one on the day before.
    """

    class Meta:
        include = {"from": fields.Day(allow_none=True), "to": fields.Day(allow_none=True)}

    example = {
        "resident": "01890a5d-ac96-774b-bcce-b302099a8057",
        "relation": "spouse",
        "from": "2019-05-01",
    }

    resident = fields.Uuid(required=True)
    relation = base.String(validate=OneOf(RELATIONS))
    registered = fields.Flag()
    moving = fields.Flag()


class MemberChange(AtLeastOne):
    """What somebody is to the head of their household."""

    example = {"relation": "parent"}

    relation = base.String(required=True, validate=OneOf(RELATIONS))


class Departure(Dated):
    """The last day of somebody's stay, today unless another day is given."""

    example = {"to": "2026-11-01"}

    to = fields.Day(allow_none=True)


class Member(Schema):
    """Somebody's stay in a household; `to` is its last day, or null."""

    class Meta:
        include = {
            "from": fields.Day(required=True),
            "to": fields.Day(required=True, allow_none=True),
        }

    id = fields.Uuid(required=True)
    household = fields.Uuid(required=True)
    resident = fields.Uuid(required=True)
    relation = base.String(required=True, validate=OneOf(RELATIONS))
    registered = base.Boolean(required=True)


class MemberListed(Member):
    """A stay among those of a household; the name is masked."""

    name = base.String(required=True, allow_none=True)


class StayQuery(Page):
    """Which stays to list: those of today, or of the day `on`, or with `past` those over."""

    on = fields.Day()
    past = fields.QueryFlag()
