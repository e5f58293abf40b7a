"""What notifications accepts over RPC, and what it reads of other services' events.

Requests name every field they may have; of an event only what is needed is read and the rest is
left alone, so that its owner may add to it.
"""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from chassis.events import CloudEvent
from chassis.schemas import load
from services.notifications.news import PHONE_CHANGED, Channel, Facts, PhoneFacts, TicketFacts
from services.notifications.outcome import Reason, State
from services.notifications.quiet import Digest, Quiet

MOST = 200


class ListInbox(Schema):
    """A page of the caller's inbox, newest first."""

    after = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))
    limit = fields.Integer(load_default=50, strict=True, validate=validate.Range(1, MOST))
    unread = fields.Boolean(load_default=False)


class HeldOn(Schema):
    """A page of references to what a person was told."""

    person = fields.UUID(required=True)
    after = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))
    limit = fields.Integer(load_default=MOST, strict=True, validate=validate.Range(1, MOST))


class MarkRead(Schema):
    """One item of the caller's inbox."""

    id = fields.UUID(required=True)


class SendCode(Schema):
    """A sign-in code and where to send it."""

    phone = fields.String(required=True, validate=validate.Regexp(r"\+?[0-9]{5,20}\Z"))
    code = fields.String(required=True, validate=validate.Regexp(r"[0-9A-Z]{4,12}\Z"))
    locale = fields.String(load_default="zh-CN", validate=validate.Length(max=35))


class ListDeliveries(Schema):
    """A page of deliveries, newest first, and which: with every filter that is given; made
    from the moment `from` to before `to`.
    """

    after = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))
    limit = fields.Integer(load_default=50, strict=True, validate=validate.Range(1, MOST))
    state = fields.String(validate=validate.OneOf([*State]))
    reason = fields.String(validate=validate.OneOf([*Reason]))
    channel = fields.String(validate=validate.OneOf([*Channel]))
    purpose = fields.String(validate=validate.Length(1, 40))
    person = fields.UUID()
    ticket = fields.UUID()
    urgent = fields.Boolean()
    since = fields.AwareDateTime(data_key="from", format="iso")
    until = fields.AwareDateTime(data_key="to", format="iso")


class QuietHours(Schema):
    """From one time of day to another, `HH:MM`, which may be on the next day."""

    start = fields.Time(required=True, data_key="from", format="%H:%M")
    end = fields.Time(required=True, data_key="to", format="%H:%M")

    @post_load
    def _some_hours(self, data: dict[str, Any], **_kwargs: Any) -> Quiet:
        if data["start"] == data["end"]:
            raise ValidationError("Must not be a whole day.", "to")
        return Quiet(**data)


class ChangePreferences(Schema):
    """What to change of what one prefers; quiet hours null: none."""

    purposes = fields.Dict(
        keys=fields.String(), values=fields.Dict(keys=fields.String(), values=fields.Boolean())
    )
    quiet_hours = fields.Nested(QuietHours, allow_none=True)
    digest = fields.Enum(Digest, by_value=True)


class TemplateRef(Schema):
    """One template."""

    purpose = fields.String(required=True)
    channel = fields.String(required=True)
    locale = fields.String(required=True)


class EditTemplate(TemplateRef):
    """What a template says, part by part."""

    parts = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class TicketEvent(Schema):
    """The part of a ticket's event that says whom it concerns."""

    class Meta:
        unknown = EXCLUDE

    ticket = fields.UUID(required=True)
    number = fields.String(required=True, validate=validate.Length(1, 40))
    reporter = fields.UUID(load_default=None, allow_none=True)
    assignee = fields.UUID(load_default=None, allow_none=True)
    previous_assignee = fields.UUID(load_default=None, allow_none=True)
    department = fields.String(load_default=None, allow_none=True)
    actor = fields.String(load_default=None, allow_none=True)
    priority = fields.String(load_default="normal")
    comment_visibility = fields.String(load_default=None, allow_none=True)

    @post_load
    def _facts(self, data: dict[str, Any], **_kwargs: Any) -> TicketFacts:
        return TicketFacts(urgent=data.pop("priority") == "urgent", **data)


class PhoneEvent(Schema):
    """Whose number was changed, and by which change."""

    class Meta:
        unknown = EXCLUDE

    resident = fields.UUID(required=True)
    change = fields.UUID(required=True)

    @post_load
    def _facts(self, data: dict[str, Any], **_kwargs: Any) -> PhoneFacts:
        return PhoneFacts(**data)


def facts_of(event: CloudEvent) -> Facts:
    """What an event says that matters here; raises ValidationError on a wrong schema."""
    facts: Facts = load(PhoneEvent if event.type == PHONE_CHANGED else TicketEvent, event.data)
    return facts


class DepartmentEvent(Schema):
    """A department as it stands after the event."""

    class Meta:
        unknown = EXCLUDE

    code = fields.String(required=True, validate=validate.Length(1, 100))
    name = fields.String(required=True)
    names = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)


class PersonEvent(Schema):
    """Whom an event about a resident is about."""

    class Meta:
        unknown = EXCLUDE

    resident = fields.UUID(required=True)


class Nothing(Schema):
    """A question that has no fields."""
