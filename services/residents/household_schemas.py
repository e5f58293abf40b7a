"""The shapes of what residents accepts about households."""

from uuid import UUID

from marshmallow import Schema, fields
from marshmallow.validate import OneOf, Range

from services.residents.area_codes import LEVELS
from services.residents.schemas import AreaCode, Key, Page, PersonalLine

TENURES = ("owned", "rented", "public", "collective", "other")
# To the head of the household.
RELATIONS = (
    "head", "spouse", "child", "parent", "grandchild", "grandparent", "sibling", "relative",
    "tenant", "other",
)  # fmt: skip

_LONGEST_DOOR = 200


def _tenure(**options: object) -> fields.String:
    return fields.String(validate=OneOf(TENURES), **options)  # type: ignore[arg-type]


class HouseholdRef(Schema):
    """One household."""

    id = Key(UUID)


class RegisterHousehold(Schema):
    """A household to register: its area, its door there, its head if known, since when (today)."""

    area = AreaCode(required=True)
    door = PersonalLine(_LONGEST_DOOR, required=True)
    tenure = _tenure(load_default="other")
    head = fields.UUID(load_default=None, allow_none=True)
    starts = fields.Date(load_default=None, allow_none=True, data_key="from")


class AmendHousehold(HouseholdRef):
    """What to change of a household; what is left out stays. `version`, if given, must be the
    present one.
    """

    area = AreaCode()
    door = PersonalLine(_LONGEST_DOOR)
    tenure = _tenure()
    head = fields.UUID()
    version = fields.Integer(validate=Range(1))


class CloseHousehold(HouseholdRef):
    """The last day of a household (today)."""

    ends = fields.Date(load_default=None, allow_none=True, data_key="to")


class ListHouseholds(Page):
    """Which households to list: in a place, of a tenure; `recorded`: whether people were recorded
    there; `anchor`: whether it is an anchor household; `closed`: those that are over instead.
    """

    within = AreaCode()
    tenure = _tenure()
    recorded = fields.Boolean()
    anchor = fields.Boolean()
    closed = fields.Boolean(load_default=False)


class HouseholdMembers(Page):
    """Whose stays in a household to list: of those who live there, or did `on` a day, or (`past`)
    have moved out.
    """

    household = Key(UUID)
    on = fields.Date()
    past = fields.Boolean(load_default=False)


class ResidentHouseholds(Page):
    """Which stays of a person to list: where they live, or did `on` a day, or (`past`) used
    to.
    """

    id = Key(UUID)
    on = fields.Date()
    past = fields.Boolean(load_default=False)


class MoveIn(Schema):
    """A stay in a household: whose, as what to its head, as their registered residence or not, from
    which day (today) to which (none). `moving`: they leave their registered residence the day
    before.
    """

    household = Key(UUID)
    resident = fields.UUID(required=True)
    relation = fields.String(load_default="other", validate=OneOf(RELATIONS))
    registered = fields.Boolean(load_default=True)
    starts = fields.Date(load_default=None, allow_none=True, data_key="from")
    ends = fields.Date(load_default=None, allow_none=True, data_key="to")
    moving = fields.Boolean(load_default=False)


class MemberRef(Schema):
    """One stay in a household."""

    household = Key(UUID)
    id = Key(UUID)


class MoveOut(MemberRef):
    """The last day of a stay (today)."""

    ends = fields.Date(load_default=None, allow_none=True, data_key="to")


class AmendMember(MemberRef):
    """What somebody is to the head of their household."""

    relation = fields.String(required=True, validate=OneOf(RELATIONS))


class Coverage(Page):
    """Of which place to count the dwellings, and in it of the places right below, or of a level."""

    area = AreaCode(required=True)
    level = fields.String(validate=OneOf(LEVELS))
