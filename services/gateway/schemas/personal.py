"""What people have a right to, and what is owed to them, about their personal data."""

from marshmallow import Schema
from marshmallow import fields as base
from marshmallow.validate import Length, OneOf

from services.gateway.schemas import fields
from services.gateway.schemas.common import Names
from services.gateway.schemas.households import Member
from services.gateway.schemas.registry import Duty

PURPOSES = ("care_visits", "notices", "photos", "skills")
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

    reason = fields.line(200, required=True)


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

    reason = fields.line(200, metadata={"description": "only people themselves may leave it out"})


class Erasure(Schema):
    """Who was erased, and when."""

    id = fields.Uuid(required=True)
    erased_at = fields.Moment(required=True)


class NewConsent(Schema):
    """To what a person agrees."""

    example = {"purpose": "notices"}

    purpose = base.String(required=True, validate=OneOf(PURPOSES))
    occurred_at = fields.Moment(metadata={"description": "with the scope `import` only"})


class Consent(Schema):
    """A purpose that a person agreed to, until it was withdrawn; `…_to`: who wrote it down."""

    id = fields.Uuid(required=True)
    purpose = base.String(required=True)
    names = base.Nested(Names, required=True)
    given_at = fields.Moment(required=True)
    given_to = base.String(required=True, allow_none=True)
    withdrawn_at = fields.Moment(required=True, allow_none=True)
    withdrawn_to = base.String(required=True, allow_none=True)


class ExportedResident(Disclosure):
    """A person's own entry, in full."""

    id = fields.Uuid(required=True)
    area = base.String(required=True, allow_none=True)
    locale = base.String(required=True)
    registered_at = fields.Moment(required=True)
    erased_at = fields.Moment(required=True, allow_none=True)


class TicketWords(Schema):
    """What a person said in a ticket of theirs: the filing, their comments, and the moves that they
    made with their reasons and answers.
    """

    title = base.String(required=True, allow_none=True)
    description = base.String(required=True)
    attributes = base.Dict(required=True)
    media_url = base.String(required=True, allow_none=True)
    address = base.String(required=True, allow_none=True)
    latitude = base.Float(required=True, allow_none=True)
    longitude = base.Float(required=True, allow_none=True)
    solved = base.String(required=True, allow_none=True)
    satisfied = base.String(required=True, allow_none=True)
    comments = base.List(base.Dict(), required=True)
    moves = base.List(base.Dict(), required=True)


class TicketReference(Schema):
    """A ticket that a person raised, or that was raised for them."""

    class Meta:
        # A word of Python's own.
        include = {"as": base.List(base.String(), required=True)}

    id = fields.Uuid(required=True)
    number = base.String(required=True)
    state = base.String(required=True)
    filed_at = fields.Moment(required=True)
    words = base.Nested(
        TicketWords,
        required=True,
        allow_none=True,
        metadata={"description": "told to the person only; null where somebody else raised it"},
    )


class MessageReference(Schema):
    """What became of a message."""

    id = fields.Uuid(required=True)
    purpose = base.String(required=True)
    channel = base.String(required=True)
    state = base.String(required=True)
    reason = base.String(required=True, allow_none=True)
    created_at = fields.Moment(required=True)


class Told(Schema):
    """Something that a person was told, and the messages that told it."""

    id = fields.Uuid(required=True)
    purpose = base.String(required=True)
    ticket = fields.Uuid(required=True, allow_none=True)
    at = fields.Moment(required=True)
    read_at = fields.Moment(required=True, allow_none=True)
    deliveries = base.List(base.Nested(MessageReference), required=True)


class Export(Schema):
    """All that is held on a person; who used it is at `residents/{id}/audit`."""

    resident = base.Nested(ExportedResident, required=True)
    duties = base.List(base.Nested(Duty), required=True)
    homes = base.List(base.Nested(Member), required=True)
    care_tags = base.List(
        base.Dict(), required=True, metadata={"description": "told to the person only"}
    )
    consents = base.List(base.Nested(Consent), required=True)
    tickets = base.List(base.Nested(TicketReference), required=True)
    notifications = base.List(base.Nested(Told), required=True)
    preferences = base.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "what they prefer to hear of, and how; null: nothing was said"},
    )
    signing_in = base.Dict(
        required=True, metadata={"description": "logins, sessions and API keys, without secrets"}
    )
