"""What several capabilities ask: an id in a path, what somebody is called, whether somebody is
there.
"""

from typing import Any

from chassis.call import Call
from chassis.errors import Invalid, NotFound, ServiceError
from services.gateway.exchange import Ask

# Seconds. A name is a courtesy: whoever signs in while the registry is away has none, but is signed
# in.
_NAME_DEADLINE = 0.8


def name_of(service: Any, call: Call, deadline: float) -> str | None:
    """What the caller is called in the registry; None while it is away or when it knows nobody of
    that id.
    """
    registry = service.residents(call, deadline=min(deadline, _NAME_DEADLINE))
    try:
        if call.actor.kind == "department":
            name = registry.get_department({"code": call.actor.id})["name"]
        else:
            name = registry.get_resident({"id": call.actor.id})["name"]
    except ServiceError:
        return None
    return str(name) if name else None


def check_person(service: Any, ask: Ask, person: str, pointer: str) -> None:
    """Raises Invalid, pointing at the field, when the registry knows no such person."""
    try:
        ask.of(service.residents).get_resident({"id": person})
    except NotFound:
        raise _unknown(pointer, "unknown_person", "There is no such person.") from None


def check_department(service: Any, ask: Ask, code: str, pointer: str) -> None:
    """Raises Invalid, pointing at the field, when the registry knows no such department."""
    try:
        ask.of(service.residents).get_department({"code": code})
    except NotFound:
        raise _unknown(pointer, "unknown_department", "There is no such department.") from None


def _unknown(pointer: str, code: str, message: str) -> Invalid:
    return Invalid(errors=[{"pointer": pointer, "code": code, "message": message}])
