"""What a person hears of, and how."""

from marshmallow import Schema
from marshmallow import fields as base
from marshmallow.validate import OneOf

from services.gateway.schemas import fields
from services.gateway.schemas.registry import AtLeastOne

CHANNELS = ("inbox", "email", "sms")
_HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]"


class QuietHours(Schema):
    """When a telephone is left alone, unless it is urgent: from one time of day to another, which
    may be on the next day.
    """

    class Meta:
        include = {"from": fields.one_of(_HOUR, required=True)}

    to = fields.one_of(_HOUR, required=True)


class Fixed(Schema):
    """What cannot be turned off, of one purpose or (null) of all, and why."""

    channel = base.String(required=True)
    purpose = base.String(required=True, allow_none=True)
    reason = base.String(required=True)
    text = base.String(required=True)


class Preferences(Schema):
    """What a person hears of by which channels, when their telephone is left alone, and how often
    what is not urgent is told together. Hours are of `time_zone`.
    """

    purposes = base.Dict(
        keys=base.String(),
        values=base.Dict(keys=base.String(), values=base.Boolean()),
        required=True,
    )
    fixed = base.List(base.Nested(Fixed), required=True)
    quiet_hours = base.Nested(QuietHours, required=True, allow_none=True)
    digest = base.String(required=True, validate=OneOf(["off", "daily", "weekly"]))
    time_zone = base.String(required=True)


class PreferenceChange(AtLeastOne):
    """What to change; what is left out stays. `quiet_hours` null: none."""

    example = {
        "purposes": {"ticket_accepted": {"sms": False}},
        "quiet_hours": {"from": "21:30", "to": "07:30"},
        "digest": "daily",
    }

    purposes = fields.Map(
        keys=fields.one_of("[a-z_]{1,40}"),
        values=fields.Map(keys=base.String(validate=OneOf(CHANNELS)), values=fields.Flag()),
    )
    quiet_hours = base.Nested(QuietHours, allow_none=True)
    digest = base.String(validate=OneOf(["off", "daily", "weekly"]))
