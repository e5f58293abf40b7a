"""Signing in: codes, sessions, accounts and API keys."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, validates_schema
from marshmallow import fields as base
from marshmallow.validate import Length, OneOf

from services.gateway.accounts import SHORTEST_PASSWORD
from services.gateway.policy import SCOPES
from services.gateway.schemas import fields
from services.gateway.schemas.common import either

_LOGIN = "[A-Za-z0-9][A-Za-z0-9._-]{1,63}"


class CodeRequest(Schema):
    """A phone to send a one-time code to."""

    example = {"phone": "13800000001"}

    phone = fields.Phone(required=True)


class CodeSent(Schema):
    """A code is on its way, whether the phone was known or not; seconds."""

    expires_in = base.Integer(required=True)


class SignIn(Schema):
    """Either a phone with the code it was sent, or a login with its password."""

    example = {"phone": "13800000001", "code": "123456"}
    also = either(("phone", "code"), ("login", "password"))

    phone = fields.Phone()
    code = fields.one_of("[0-9]{6}")
    login = fields.one_of(_LOGIN)
    password = fields.text(200)

    @validates_schema(skip_on_field_errors=True)
    def _one_of_both(self, data: Mapping[str, Any], **_: Any) -> None:
        if set(data) not in ({"phone", "code"}, {"login", "password"}):
            raise ValidationError("Give either phone and code, or login and password.")


class RoleHeld(Schema):
    """A role, and where it is held."""

    role = base.String(required=True)
    area = base.String()
    department = base.String()


class WhoIs(Schema):
    """Somebody who is signed in."""

    id = base.String(required=True, allow_none=True)
    kind = base.String(required=True, validate=OneOf(["person", "department"]))
    name = base.String(required=True, allow_none=True)
    roles = base.List(base.Nested(RoleHeld), required=True)


class SessionOpened(Schema):
    """A new session; `token` is told only now."""

    id = fields.Uuid(required=True)
    token = base.String(required=True)
    expires_at = fields.Moment(required=True)
    actor = base.Nested(WhoIs, required=True)


class SessionCurrent(Schema):
    """Who is calling; `id` and `expires_at` are null for an API key, which has `scopes`."""

    id = fields.Uuid(required=True, allow_none=True)
    expires_at = fields.Moment(required=True, allow_none=True)
    actor = base.Nested(WhoIs, required=True)
    scopes = base.List(base.String(), required=True, allow_none=True)


class SessionListed(Schema):
    """One of a person's own sessions."""

    id = fields.Uuid(required=True)
    method = base.String(required=True, validate=OneOf(["code", "password"]))
    user_agent = base.String(required=True)
    created_at = fields.Moment(required=True)
    expires_at = fields.Moment(required=True)
    current = base.Boolean(required=True)


class NewAccount(Schema):
    """A login and a password for a person."""

    example = {
        "person": "01890a5d-ac96-774b-bcce-b302099a8057",
        "login": "zhang.li",
        "password": "correct horse battery staple",
    }

    person = fields.Uuid(required=True)
    login = fields.one_of(_LOGIN, required=True)
    password = fields.text(200, SHORTEST_PASSWORD, required=True)


class AccountMade(Schema):
    """An account."""

    id = fields.Uuid(required=True)
    person = fields.Uuid(required=True)
    login = base.String(required=True)
    created_at = fields.Moment(required=True)


class Owner(Schema):
    """Whom a key acts as: a person by id or a department by code."""

    also = either(("person",), ("department",))

    person = fields.Uuid()
    department = fields.department()

    @validates_schema(skip_on_field_errors=True)
    def _one_of_both(self, data: Mapping[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Give either a person or a department.")


class NewApiKey(Schema):
    """A key to make; `scopes` narrow what its owner may do."""

    example = {
        "name": "water company's work orders",
        "owner": {"department": "water"},
        "scopes": ["tickets:read", "tickets:write", "events:read"],
    }

    name = fields.text(100, required=True)
    owner = base.Nested(Owner, required=True)
    scopes = base.List(
        base.String(validate=OneOf(list(SCOPES))),
        required=True,
        validate=Length(1, len(SCOPES)),
    )


class ApiKeyListed(Schema):
    """A key, without its token."""

    id = fields.Uuid(required=True)
    name = base.String(required=True)
    owner = base.Nested(Owner, required=True)
    scopes = base.List(base.String(), required=True)
    created_by = base.String(required=True)
    created_at = fields.Moment(required=True)


class ApiKeyMade(ApiKeyListed):
    """A new key; `token` is told only now."""

    token = base.String(required=True)
