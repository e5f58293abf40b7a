"""What the gateway holds of a person, their ways to sign in; which it takes away when they are
erased or, as far as it came from there, when their phone number is.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from marshmallow import EXCLUDE, Schema, fields
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis.clock import iso
from chassis.events import CloudEvent
from chassis.schemas import load
from services.gateway.models import Account, ApiKey, SignedIn
from services.gateway.sessions import CODE

# From the moment that an event names to when all can see what it tells of: a transaction's time,
# and what clocks differ by.
_UNDER_WAY = timedelta(seconds=10)


class PersonRecord(Schema):
    """Whom an event about a resident is about."""

    class Meta:
        unknown = EXCLUDE

    resident = fields.UUID(required=True)


def forget_person(session: Session, event: CloudEvent) -> None:
    """End a person's sessions and keys, and delete their login. Raises ValidationError."""
    person = load(PersonRecord, event.data)["resident"]
    session.execute(delete(SignedIn).where(SignedIn.person == person))
    session.execute(delete(Account).where(Account.person == person))
    keys = delete(ApiKey).where(ApiKey.owner_kind == "person", ApiKey.owner == str(person))
    session.execute(keys)


def end_by_phone(session: Session, event: CloudEvent) -> None:
    """End the sessions that a person opened by phone before the event, or while what it tells of
    was under way: a new number is signed in by once more at worst. Raises ValidationError.
    """
    person = load(PersonRecord, event.data)["resident"]
    session.execute(
        delete(SignedIn).where(
            SignedIn.person == person,
            SignedIn.method == CODE,
            SignedIn.created_at <= event.time + _UNDER_WAY,
        )
    )


def held_on(session: Session, person: UUID) -> dict[str, Any]:
    """A person's logins, sessions and API keys, without what is secret of them."""
    keys = select(ApiKey).where(ApiKey.owner_kind == "person", ApiKey.owner == str(person))
    return {
        "logins": [
            {"login": account.login, "created_at": iso(account.created_at)}
            for account in session.scalars(select(Account).where(Account.person == person))
        ],
        "sessions": [
            {
                "id": str(signed_in.id),
                "method": signed_in.method,
                "user_agent": signed_in.user_agent,
                "created_at": iso(signed_in.created_at),
                "expires_at": iso(signed_in.expires_at),
            }
            for signed_in in session.scalars(select(SignedIn).where(SignedIn.person == person))
        ],
        "api_keys": [
            {"id": str(key.id), "name": key.name, "created_at": iso(key.created_at)}
            for key in session.scalars(keys)
        ],
    }
