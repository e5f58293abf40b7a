"""Whose webhooks a caller may see and change."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.errors import Forbidden, Invalid
from services.notifications.models import Department
from services.notifications.webhooks.errors import UnknownWebhook
from services.notifications.webhooks.models import Endpoint

READ, WRITE = "webhooks.read", "webhooks.write"


def departments(call: Call, operation: str) -> frozenset[str] | None:
    """The departments whose webhooks the caller may see or change; None for everybody's. Raises
    Forbidden.
    """
    reaches = call.reaches(operation)
    if "any" in reaches:
        return None
    theirs = frozenset(
        reach.partition(":")[2] for reach in reaches if reach.startswith("department:")
    )
    if not theirs:
        raise Forbidden
    return theirs


def endpoint(
    session: Session, call: Call, operation: str, wanted: UUID, *, lock: bool = False
) -> Endpoint:
    """The endpoint; raises UnknownWebhook for another's, as for one that is not there."""
    theirs = departments(call, operation)
    query = select(Endpoint).where(Endpoint.id == wanted, Endpoint.deleted_at.is_(None))
    if theirs is not None:
        query = query.where(Endpoint.department.in_(theirs))
    found = session.scalar(query.with_for_update(key_share=True) if lock else query)
    if found is None:
        raise UnknownWebhook
    return found


def owner(session: Session, call: Call, wanted: str | None) -> str | None:
    """Whose a new endpoint is: the department named, or the caller's only one; None, the whole
    installation's, for who may change everybody's. Raises Invalid, Forbidden.
    """
    theirs = departments(call, WRITE)
    if theirs is None:
        if wanted is not None and session.get(Department, wanted) is None:
            raise _fault("unknown_department", "There is no such department.")
        return wanted
    if wanted is None and len(theirs) > 1:
        raise _fault("department_required", "Say for which of your departments.")
    if wanted is not None and wanted not in theirs:
        raise Forbidden
    return wanted or next(iter(theirs))


def _fault(code: str, message: str) -> Invalid:
    return Invalid(errors=[{"pointer": "/department", "code": code, "message": message}])
