"""What the gateway takes away when a person is erased: their ways to sign in."""

from marshmallow import EXCLUDE, Schema, fields
from sqlalchemy import delete
from sqlalchemy.orm import Session

from chassis.events import CloudEvent
from services.gateway.models import Account, ApiKey, SignedIn


class PersonRecord(Schema):
    """Whom an event about a resident is about."""

    class Meta:
        unknown = EXCLUDE

    resident = fields.UUID(required=True)


def forget_person(session: Session, event: CloudEvent) -> None:
    """End a person's sessions and keys, and delete their login. Raises ValidationError."""
    person = PersonRecord().load(event.data)["resident"]
    session.execute(delete(SignedIn).where(SignedIn.person == person))
    session.execute(delete(Account).where(Account.person == person))
    keys = delete(ApiKey).where(ApiKey.owner_kind == "person", ApiKey.owner == str(person))
    session.execute(keys)
