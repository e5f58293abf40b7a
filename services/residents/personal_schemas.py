"""The shapes of what residents accepts about the protection of personal data."""

from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import ContainsOnly, Length, OneOf

from chassis import clock
from chassis.screening import screen
from services.residents.consent_purposes import PURPOSES
from services.residents.schemas import DepartmentRef, Key, Line, Page, ResidentRef
from services.residents.sealing import SEALED


class Reason(Line):
    """Why somebody does what the audit will show for ever: numbers in it are masked."""

    longest = 200

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return screen(super()._deserialize(value, attr, data, **kwargs))


class Moment(fields.String):
    """An RFC 3339 moment with its zone."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return clock.parse(text.upper())
        except ValueError:
            raise ValidationError("Not a valid datetime.") from None


class AuditFilter(Schema):
    """Which entries: of an action, from one moment to before another."""

    action = fields.String()
    start = Moment(data_key="from")
    end = Moment(data_key="to")


class ListAudit(AuditFilter, Page):
    """Which entries of the whole audit: about a person, by an actor."""

    person = fields.UUID()
    actor = fields.String()


class ResidentAudit(ResidentRef, AuditFilter, Page):
    """Which entries about one person."""


class Contact(ResidentRef):
    """Whom to reach; of a `change` of their number: by the one before."""

    change = fields.UUID(load_default=None, allow_none=True)


class Erase(ResidentRef):
    """Whom to erase, and why, which people need not say of themselves."""

    reason = Reason(load_default=None)


class Disclose(ResidentRef):
    """Which fields of a person to show in plain text, and why."""

    class Meta:
        # A schema has `fields` of its own.
        include = {
            "fields": fields.List(
                fields.String(), required=True, validate=[Length(1), ContainsOnly(SEALED)]
            )
        }

    reason = Reason(required=True)


class Consent(ResidentRef):
    """To what a person agrees."""

    purpose = fields.String(required=True, validate=OneOf(sorted(PURPOSES)))


class Withdraw(ResidentRef):
    """Which consent of a person is taken back."""

    consent = Key(UUID)


class Consents(ResidentRef, Page):
    """Whose consents to list."""


class DepartmentClerks(DepartmentRef, Page):
    """Who worked for a department on a day (today)."""

    on = fields.Date()
