"""Signing in and out: `sessions/codes`, `sessions`, `sessions/current`."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.clock import iso, now
from chassis.errors import Forbidden, NotFound
from services.gateway import codes, passwords, sessions, tokens
from services.gateway.accounts import account_of
from services.gateway.api.asking import name_of
from services.gateway.api.capability import Capability
from services.gateway.authentication import Caller, WrongCredentials, session_roles
from services.gateway.exchange import Ask
from services.gateway.models import SignedIn
from services.gateway.operation import PUBLIC, SIGNED_IN, operation
from services.gateway.schemas import sessions as schemas
from services.gateway.schemas.common import list_of
from services.gateway.sessions import CODE, PASSWORD, CommandReused, SignIn

# Seconds: an SMS provider answers more slowly than a service of ours (LINLI_SMS_CODE_TIMEOUT).
_SMS_DEADLINE = 2.5


class Sessions(Capability):
    """Residents sign in with a phone and a one-time code, staff with a login and a password: a
    code opens the session of a resident, whatever duties they have.
    """

    @operation(
        "POST",
        "/sessions/codes",
        policy=PUBLIC,
        body=schemas.CodeRequest,
        answer=schemas.CodeSent,
        status=202,
        errors=(codes.TooManyCodes, "422 code_refused", "503 code_not_sent"),
        secret=True,
        rate="codes",
    )
    def request_code(self, ask: Ask) -> Any:
        """Send a one-time code to a phone, known or not."""
        settings, phone = self.gate.settings, ask.body["phone"]
        with self.db.transaction() as session:
            code = codes.new_code(session, settings.secret, phone, now(), settings.codes_per_phone)
        self.notifications(ask.call, deadline=_SMS_DEADLINE).send_code(
            {"phone": phone, "code": code, "locale": ask.call.locale}
        )
        return {"expires_in": int(codes.GOOD_FOR.total_seconds())}

    @operation(
        "POST",
        "/sessions",
        policy=PUBLIC,
        body=schemas.SignIn,
        answer=schemas.SessionOpened,
        status=201,
        location="/sessions/current",
        errors=(
            WrongCredentials,
            passwords.Locked,
            CommandReused,
            "403 phone_withdrawn",
            "403 phone_on_hold",
        ),
        secret=True,
        rate="sign_in",
    )
    def sign_in(self, ask: Ask) -> Any:
        """Sign in with a phone and its code, or a login and its password."""
        by = _with_code if "phone" in ask.body else _with_password
        sign_in = by(self, ask)
        command = UUID(ask.call.command_id)
        with self.db.transaction() as session:
            if "phone" in ask.body:
                _use_code(self, ask, session)
            opened, token = sessions.open_session(session, sign_in, command, now())
            roles = session_roles(session, sign_in.person, sign_in.method, now())
        if "phone" in ask.body:
            _check_owner(self, ask, opened)
        caller = Caller("person", str(sign_in.person), roles)
        return {
            "id": str(opened.id),
            "token": token,
            "expires_at": iso(opened.expires_at),
            "actor": _who(self, ask, caller),
        }

    @operation("GET", "/sessions/current", policy=SIGNED_IN, answer=schemas.SessionCurrent)
    def who_am_i(self, ask: Ask) -> Any:
        """Who is calling, with roles, and for an API key its scopes."""
        caller = ask.caller
        return {
            "id": caller.session and str(caller.session),
            "expires_at": caller.expires_at and iso(caller.expires_at),
            "actor": _who(self, ask, caller),
            "scopes": None if caller.scopes is None else sorted(caller.scopes),
        }

    @operation("DELETE", "/sessions/current", policy=SIGNED_IN, status=204, errors=(Forbidden,))
    def sign_out(self, ask: Ask) -> None:
        """End the session that is used."""
        person, current = _session_of(ask)
        with self.db.transaction() as session:
            sessions.end_session(session, person, current)

    @operation(
        "GET",
        "/sessions",
        policy=SIGNED_IN,
        answer=list_of(schemas.SessionListed),
        errors=(Forbidden,),
    )
    def list_sessions(self, ask: Ask) -> Any:
        """One's own sessions, newest first."""
        person, current = _session_of(ask)
        with self.db.read() as session:
            found = sessions.sessions_of(session, person, now())
        items = [
            {
                "id": str(row.id),
                "method": row.method,
                "user_agent": row.user_agent,
                "created_at": iso(row.created_at),
                "expires_at": iso(row.expires_at),
                "current": row.id == current,
            }
            for row in found
        ]
        return {"items": items, "next": None}

    @operation(
        "DELETE", "/sessions/<uuid:id>", policy=SIGNED_IN, status=204, errors=(Forbidden, NotFound)
    )
    def end_session(self, ask: Ask) -> None:
        """End another of one's own sessions."""
        person, _ = _session_of(ask)
        with self.db.transaction() as session:
            sessions.end_session(session, person, UUID(ask.path["id"]))


def _with_code(service: Any, ask: Ask) -> SignIn:
    """The person whose phone it is, known from now on if not before. Raises WrongCredentials."""
    with service.db.transaction() as session:
        good = _offered(service, ask, session) is not None
    # A wrong try is committed before it is refused.
    if not good:
        raise WrongCredentials()
    person = _owner(service, ask)
    hours = service.gate.settings.session_hours
    return SignIn(person, CODE, timedelta(hours=hours), None, _user_agent(ask))


def _owner(service: Any, ask: Ask) -> UUID:
    """Whose phone it is, who is known from now on. Raises PhoneWithdrawn, PhoneOnHold: only who was
    sent a code to it learns so much of a number.
    """
    wanted = {"phone": ask.body["phone"], "signing_in": True}
    return UUID(ask.of(service.residents).ensure_resident(wanted)["id"])


def _check_owner(service: Any, ask: Ask, opened: SignedIn) -> None:
    """End the session unless the phone is still its person's. News that it was taken from them may
    have passed before there was a session to end; what comes from now on finds it.
    """
    owner = None
    try:
        owner = _owner(service, ask)
    finally:
        if owner != opened.person:
            with suppress(NotFound), service.db.transaction() as session:
                sessions.end_session(session, opened.person, opened.id)
    if owner != opened.person:
        raise WrongCredentials()


def _use_code(service: Any, ask: Ask, session: Any) -> None:
    """Use the code up with the session it opens; of two that offer it at once, one is too late."""
    offered = _offered(service, ask, session)
    if offered is None:
        raise WrongCredentials()
    offered.used_by = UUID(ask.call.command_id)


def _offered(service: Any, ask: Ask, session: Any) -> Any:
    offer = codes.Offer(ask.body["phone"], ask.body["code"], UUID(ask.call.command_id))
    return codes.offer_code(session, service.gate.settings.secret, offer, now())


def _with_password(service: Any, ask: Ask) -> SignIn:
    """The person whose login it is. Raises WrongCredentials, Locked."""
    login = ask.body["login"].casefold()
    digest = tokens.keyed_digest(service.gate.settings.secret, "login", login)
    with service.db.read() as session:
        passwords.check_lock(session, digest, now())
        account = account_of(session, login)
    right = passwords.verify(ask.body["password"], account.password_hash if account else None)
    with service.db.transaction() as session:
        if right:
            passwords.note_success(session, digest)
        else:
            passwords.note_failure(session, digest, now())
    if account is None or not right:
        raise WrongCredentials()
    hours = service.gate.settings.staff_session_hours
    lasts = timedelta(hours=hours)
    return SignIn(account.person, PASSWORD, lasts, account.id, _user_agent(ask))


def _user_agent(ask: Ask) -> str:
    """What people know their devices by; a header may hold what no database keeps."""
    return "".join(filter(str.isprintable, ask.request.headers.get("User-Agent", "")))


def _session_of(ask: Ask) -> tuple[UUID, UUID]:
    """The person and the session; raises Forbidden for an API key, which has none."""
    if ask.caller.session is None:
        raise Forbidden()
    return UUID(ask.caller.id), ask.caller.session


def _who(service: Any, ask: Ask, caller: Caller) -> dict[str, Any]:
    call = replace(ask.call, actor=caller.actor(), grants=caller.grants)
    return {
        "id": caller.id,
        "kind": caller.kind,
        "name": name_of(service, call, ask.deadline()),
        "roles": [role.to_json() for role in caller.roles],
    }
