"""Endpoints: made, seen, changed, given up. Every function works in the session it is given."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call, named
from chassis.errors import Gone, Invalid
from chassis.ids import new_id
from services.notifications import cursors
from services.notifications.webhooks import access, handshakes, health, keys, sealed_robots
from services.notifications.webhooks.addresses import UrlRefused, check_url
from services.notifications.webhooks.errors import TooManyWebhooks
from services.notifications.webhooks.event_types import EVENT_TYPES
from services.notifications.webhooks.models import Endpoint
from services.notifications.webhooks.robots import STANDARD, VENDORS
from services.notifications.webhooks.sealing import Seal
from services.notifications.webhooks.settings import WebhookSettings

MOST = 200
"""Endpoints of one owner."""

_ASKED_FOR = ("url", "robot", "label", "types", "area", "ordered", "rate", "handshake")


def make(
    session: Session,
    call: Call,
    wanted: Mapping[str, Any],
    *,
    seal: Seal,
    settings: WebhookSettings,
    at: datetime,
) -> dict[str, Any]:
    """The new endpoint with its first secret, which is told this once; a robot has none of ours.
    The same command again gets the same endpoint with a new secret. Raises Invalid,
    TooManyWebhooks, Gone for one that was deleted since.
    """
    owner = access.owner(session, call, wanted["department"])
    _check(wanted, wanted["format"], settings)
    command = UUID(named(call).command_id)
    key = new_id()
    stored = sealed_robots.columns(seal, key, wanted["format"], wanted)
    row = _row(call, {"id": key, "robot": None, **wanted, **stored}, owner, command, at)
    session.execute(insert(Endpoint).values(row).on_conflict_do_nothing())
    endpoint = session.scalars(
        select(Endpoint).where(Endpoint.command == command).with_for_update(key_share=True)
    ).one()
    if endpoint.deleted_at is not None:
        raise Gone
    _require_few(session, owner)
    if endpoint.format != STANDARD:
        return {**answer(endpoint), "secret": None}
    secret, text = keys.put(session, seal, endpoint.id, command, at)
    return {**answer(endpoint), "secret": {**keys.answer(secret), "secret": text}}


def _row(
    call: Call, wanted: Mapping[str, Any], owner: str | None, command: UUID, at: datetime
) -> dict[str, Any]:
    asked = wanted["handshake"]
    return {
        "id": wanted["id"],
        "format": wanted["format"],
        "command": command,
        "department": owner,
        "created_by": UUID(str(call.actor.id)) if call.actor.kind == "person" else None,
        **{name: wanted[name] for name in _ASKED_FOR},
        "state": "pending" if asked else "active",
        "handshake_at": at if asked else None,
        "handshakes": 0,
        "failures": 0,
        "tokens": health.capacity(wanted["rate"]),
        **dict.fromkeys(("ready_at", "tokens_at", "served_at", "created_at"), at),
    }


def _require_few(session: Session, owner: str | None) -> None:
    theirs = Endpoint.department.is_not_distinct_from(owner) & Endpoint.deleted_at.is_(None)
    if (session.scalar(select(func.count()).select_from(Endpoint).where(theirs)) or 0) > MOST:
        raise TooManyWebhooks


def page(session: Session, call: Call, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`{items, next}`: the endpoints that the caller may see, oldest first; raises BadCursor."""
    theirs = access.departments(call, access.READ)
    query = select(Endpoint).where(Endpoint.deleted_at.is_(None))
    if theirs is not None:
        query = query.where(Endpoint.department.in_(theirs))
    if wanted["after"] is not None:
        query = query.where(Endpoint.id > cursors.decode(wanted["after"], UUID)[0])
    found = session.scalars(query.order_by(Endpoint.id).limit(wanted["limit"] + 1)).all()
    return cursors.page(found, wanted["limit"], key=lambda each: (each.id,), answer=answer)


def change(
    session: Session,
    call: Call,
    wanted: Mapping[str, Any],
    *,
    seal: Seal,
    settings: WebhookSettings,
    at: datetime,
) -> dict[str, Any]:
    """The endpoint as it then is. Raises UnknownWebhook, Invalid, KeyLost."""
    endpoint = access.endpoint(session, call, access.WRITE, wanted["id"], lock=True)
    _check(wanted, endpoint.format, settings)
    kind, before = endpoint.format, endpoint.robot
    wanted = {**wanted, **sealed_robots.columns(seal, endpoint.id, kind, wanted, before)}
    # Every robot of a vendor shows the same URL.
    moved = "robot" in wanted or wanted.get("url", endpoint.url) != endpoint.url
    asks_now = wanted.get("handshake", endpoint.handshake) and not endpoint.handshake
    for name in _ASKED_FOR:
        if name in wanted:
            setattr(endpoint, name, wanted[name])
    if moved:
        _begin_anew(endpoint, at)
        endpoint.allowed_rate = None
    if endpoint.allowed_rate:
        endpoint.rate = min(endpoint.rate, endpoint.allowed_rate)
    # A bucket that was filled at the old rate must not hold what the new one gives back.
    endpoint.ready_at = min(endpoint.ready_at, at) if "rate" in wanted else endpoint.ready_at
    _switch(endpoint, wanted.get("active"), asks=bool(moved or asks_now), at=at)
    return answer(endpoint)


def _switch(endpoint: Endpoint, active: bool | None, *, asks: bool, at: datetime) -> None:
    """Turn it on or off, and have its receiver asked if it is another."""
    if active is False:
        endpoint.state, endpoint.reason = "disabled", health.Ended.BY_HAND
        endpoint.handshake_at = None
    elif active and endpoint.state == "disabled":
        _begin_anew(endpoint, at)
        endpoint.state, endpoint.reason = "active", None
        asks = True
    if endpoint.state == "pending":
        # Nobody is left to ask; or it was given up, and somebody wants it to be asked again.
        if not endpoint.handshake:
            endpoint.state, endpoint.reason, endpoint.handshake_at = "active", None, None
        asks |= bool(active) and endpoint.handshake_at is None
    if asks and endpoint.handshake and endpoint.state != "disabled":
        handshakes.begin(endpoint, at)


def _begin_anew(endpoint: Endpoint, at: datetime) -> None:
    """Hold nothing of what was against it."""
    endpoint.failures, endpoint.failing_since, endpoint.probe_at = 0, None, None
    endpoint.ready_at = min(endpoint.ready_at, at)


def remove(session: Session, call: Call, wanted: UUID, at: datetime) -> None:
    """Nothing is sent there any more; its log goes with it, by and by. Raises UnknownWebhook."""
    endpoint = access.endpoint(session, call, access.WRITE, wanted, lock=True)
    endpoint.deleted_at, endpoint.handshake_at = at, None


def answer(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint as its owner sees it."""
    since = endpoint.failing_since
    return {
        "id": str(endpoint.id),
        "format": endpoint.format,
        "url": endpoint.url,
        "description": endpoint.label,
        "department": endpoint.department,
        "types": sorted(endpoint.types),
        "area": endpoint.area,
        "ordered": endpoint.ordered,
        "rate": endpoint.rate,
        "handshake": endpoint.handshake,
        "state": endpoint.state,
        "reason": endpoint.reason,
        "failing_since": clock.iso(since) if since else None,
        "created_by": str(endpoint.created_by) if endpoint.created_by else None,
        "created_at": clock.iso(endpoint.created_at),
    }


def _check(wanted: Mapping[str, Any], kind: str, settings: WebhookSettings) -> None:
    """Raises Invalid for types that there are not, for where nothing is sent, and for what an
    endpoint of this format does not have.
    """
    vendor = VENDORS.get(kind)
    if wanted.get("robot_secret") is not None and not (vendor and vendor.signs):
        raise _fault("/robot_secret", "no_robot_secret", "Nothing of this format has one.")
    if vendor and wanted.get("handshake"):
        raise _fault("/handshake", "not_for_robots", "A robot cannot be asked.")
    for number, name in enumerate(wanted.get("types", ())):
        if name not in EVENT_TYPES:
            raise _fault(f"/types/{number}", "unknown_event_type", "There are no such events.")
    if "url" not in wanted:
        return
    try:
        check_url(wanted["url"], settings.networks)
        if vendor:
            vendor.check(wanted["url"], settings.networks)
    except UrlRefused as refused:
        raise _fault("/url", refused.code, str(refused)) from None


def _fault(pointer: str, code: str, message: str) -> Invalid:
    return Invalid(errors=[{"pointer": pointer, "code": code, "message": message}])
