"""The shapes of what residents accepts about care tags."""

from uuid import UUID

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from services.residents.care.vocabulary import TAGS
from services.residents.schemas import AreaCode, Key, Page, PersonalLine, ResidentRef


class CareTagKinds(Schema):
    """Nothing needs to be said."""


class ListCareTags(Page):
    """Whose open tags to list: of people in a place, of a kind."""

    within = AreaCode()
    tag = fields.String(validate=OneOf(TAGS))


class ResidentCareTags(ResidentRef, Page):
    """The tags of one person, those that have ended too."""


class GiveCareTag(ResidentRef):
    """A tag for a person, from a day on (today)."""

    tag = fields.String(required=True, validate=OneOf(TAGS))
    starts = fields.Date(load_default=None, allow_none=True, data_key="from")
    note = PersonalLine(500, load_default=None, allow_none=True)


class EndCareTag(ResidentRef):
    """The last day of a tag (today)."""

    care_tag = Key(UUID)
    ends = fields.Date(load_default=None, allow_none=True, data_key="to")
