"""Disabling an endpoint, and telling its owner: who made it, and the department's clerks."""

from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis import logs
from chassis.clock import local
from chassis.ids import new_id
from services.notifications import items
from services.notifications.news import WEBHOOK_DISABLED, Telling, in_order, offered
from services.notifications.webhooks.models import Clerk, Endpoint

log = logs.get("webhooks")


def disable(session: Session, endpoint: Endpoint, why: str, at: datetime) -> None:
    """Send nothing there until somebody enables it again, and say so to its owner."""
    endpoint.state, endpoint.reason = "disabled", why
    log.warning("webhook_disabled", endpoint_id=str(endpoint.id), reason=why)
    _tell_owner(session, endpoint, at)


def _tell_owner(session: Session, endpoint: Endpoint, at: datetime) -> None:
    """An inbox item for each of them, and a message as they like it."""
    owners = _owners(session, endpoint, at)
    if not owners:
        # Made by a key, in a department that has no clerk today. Who administers is the gateway's
        # to know: whoever reads this log is told instead.
        log.warning("webhook_disabled_untold", endpoint_id=str(endpoint.id))
    news = {
        "event": new_id(),
        "ticket": None,
        "sequence": 0,
        "variables": {
            "host": urlsplit(endpoint.url).hostname,
            "department": endpoint.department,
        },
        "at": at,
    }
    also = in_order(offered()[WEBHOOK_DISABLED], urgent=False)
    whom = [Telling(person, WEBHOOK_DISABLED, also) for person in owners]
    items.put(session, news, whom, stale=None, at=at)


def _owners(session: Session, endpoint: Endpoint, at: datetime) -> set[UUID]:
    """The department's clerks of today, and who made it unless they were one and are no more."""
    today = local(at).date()
    current = (Clerk.starts <= today) & or_(Clerk.ends.is_(None), Clerk.ends >= today)
    query = select(Clerk.person, current).where(Clerk.department == endpoint.department)
    duties = session.execute(query).all()
    clerks = {person for person, serves in duties if serves}
    former = {person for person, _ in duties} - clerks
    made_by = {endpoint.created_by} if endpoint.created_by else set()
    return clerks | made_by - former
