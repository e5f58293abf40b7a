"""What a caller may do with one ticket: which reaches of the grants hold for it, and which moves
are left of them now.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from chassis.call import Call
from chassis.errors import Forbidden, PreconditionRequired, Stale
from services.tickets import lifecycle
from services.tickets.errors import UnknownTicket
from services.tickets.lifecycle import MOVES, VERSIONED, State
from services.tickets.ticket import Ticket

# What only the person can do who raised it, not who wrote it down for them.
_REPORTERS_OWN = frozenset({"follow-up", "withdrawal", "reopening"})


@dataclass(frozen=True)
class Reader:
    """Someone who may read a ticket. `insider`: more than one of the public; `for_whom`: of those,
    who learns also on whose behalf it was filed.
    """

    actor_id: str | None
    locale: str
    may: frozenset[str]
    insider: bool
    for_whom: bool = False

    @property
    def internal(self) -> bool:
        """Whether notes and comments among staff are for them too."""
        return "internal_comments" in self.may


def reader(call: Call, ticket: Ticket) -> Reader:
    """What the caller is to this ticket; raises UnknownTicket when they may not even read it."""
    may = allowed(call, ticket)
    if "read" not in may:
        raise UnknownTicket()
    return _as(call, ticket, may, insider=bool(_held(call, ticket) - {"public"}))


def filer(call: Call, ticket: Ticket) -> Reader:
    """What the caller is to a ticket they have just filed. Whoever is merely one of the public to
    it learns no ids, not even whose phone they gave: an id tells whether and since when somebody
    is known.
    """
    close = bool(_held(call, ticket) - {"public"})
    return _as(call, ticket, allowed(call, ticket), insider=close)


def mover(call: Call, ticket: Ticket) -> Reader:
    """What the caller is to a ticket they have just moved, which they could read until then: they
    see what came of it, though they may have lost it so.
    """
    return _as(call, ticket, allowed(call, ticket), insider=call.actor.id is not None)


def _as(call: Call, ticket: Ticket, may: frozenset[str], *, insider: bool) -> Reader:
    # Who files in their own name gives a phone for whom: to know the ticket by that is to know no
    # more of them than was given.
    by_duty = call.actor.id != ticket.reporter or bool(_held(call, ticket) - {"public", "own"})
    return Reader(call.actor.id, call.locale, may, insider, for_whom=insider and by_duty)


def _held(call: Call, ticket: Ticket) -> set[str]:
    """The reaches in which the caller reads this ticket."""
    return {reach for reach in call.reaches("read") if holds(reach, ticket, call.actor.id)}


def allowed(call: Call, ticket: Ticket) -> frozenset[str]:
    """The operations that the caller's grants allow on this ticket as it stands."""
    actor = call.actor.id
    may = call.may(lambda reach: holds(reach, ticket, actor))
    if with_secretary(ticket) and "override" in may:
        may |= call.may(lambda reach: reach == "holder")
    if actor != ticket.reporter:
        may -= _REPORTERS_OWN - call.may(
            lambda reach: reach != "own" and holds(reach, ticket, actor)
        )
    return may


def holds(reach: str, ticket: Ticket, actor: str | None) -> bool:
    """Whether a ticket lies within `reach` of an actor; an unknown reach never holds."""
    name, _, code = reach.partition(":")
    is_held = _REACHES.get(name)
    return is_held is not None and is_held(ticket, actor, code)


_REACHES: Mapping[str, Callable[[Ticket, str | None, str], bool]] = {
    "any": lambda _ticket, _actor, _code: True,
    "public": lambda ticket, _actor, _code: ticket.visibility == "public",
    # Not who wrote it down for somebody: they see it by a duty, as long as they have one.
    "own": lambda ticket, actor, _code: actor is not None and actor == ticket.reporter,
    "holder": lambda ticket, actor, _code: actor is not None and actor == _person(ticket),
    "area": lambda ticket, _actor, code: code in ticket.area_path,
    "department": lambda ticket, _actor, code: bool(code) and code == ticket.department,
}


def filing(call: Call, area_path: Collection[str]) -> frozenset[str]:
    """The operations that the caller's grants would allow on a ticket of their own in this area."""
    return call.may(lambda reach: _holds_for_filing(reach, area_path))


def _holds_for_filing(reach: str, area_path: Collection[str]) -> bool:
    name, _, code = reach.partition(":")
    return name in ("any", "own") or (name == "area" and code in area_path)


def with_secretary(ticket: Ticket) -> bool:
    """Whether the area's secretary has the ticket, because it came back twice."""
    return ticket.state == State.ACCEPTED and lifecycle.needs_secretary(ticket.send_backs)


def holder(ticket: Ticket) -> tuple[str, str | None] | None:
    """Who has it: ("person", id), ("department", code), ("secretary", None), or None while nobody
    has.
    """
    if with_secretary(ticket):
        return "secretary", None
    person = _person(ticket)
    if person is not None:
        return "person", person
    return ("department", ticket.department) if ticket.department is not None else None


def _person(ticket: Ticket) -> str | None:
    """The person who has it: in `accepted` whoever accepted it, afterwards the assignee."""
    if ticket.state == State.ACCEPTED:
        return None if with_secretary(ticket) else ticket.accepted_by
    return ticket.assignee


def moves(reader: Reader, ticket: Ticket, at: datetime) -> list[str]:
    """The moves that the reader may make at `at`: the legal ones among the allowed ones."""
    return [
        verb
        for verb in MOVES
        if operation(verb, ticket) in reader.may
        and lifecycle.is_legal(ticket.state, verb, ticket.closed_at, at)
    ]


def operation(verb: str, ticket: Ticket) -> str:
    """The operation that a move takes: assigning what is being worked on, or came back twice, is
    the secretary's.
    """
    if verb == "assignment" and (
        ticket.state == State.IN_PROGRESS or lifecycle.needs_secretary(ticket.send_backs)
    ):
        return "override"
    return verb


def check_move(call: Call, ticket: Ticket, verb: str, if_match: int | None, at: datetime) -> Reader:
    """The reader, if they may make this move now.

    Raises, in this order, UnknownTicket; Forbidden when no state would let them;
    PreconditionRequired and Stale about `if_match`; IllegalMove; Forbidden when only this state
    does not let them.
    """
    found = reader(call, ticket)
    if verb not in found.may | call.may(lambda reach: reach == "holder"):
        raise Forbidden(operation=verb)
    check_version(ticket, if_match, required=verb in VERSIONED)
    lifecycle.check(ticket.state, verb, ticket.closed_at, at)
    if operation(verb, ticket) not in found.may:
        raise Forbidden(operation=operation(verb, ticket))
    return found


def check_operation(call: Call, ticket: Ticket, name: str) -> Reader:
    """The reader, if they may do what is no move; raises UnknownTicket or Forbidden."""
    found = reader(call, ticket)
    if name not in found.may:
        raise Forbidden(operation=name)
    return found


def check_version(ticket: Ticket, if_match: int | None, *, required: bool = False) -> None:
    """Raises Stale, with the version that is current, when `if_match` names another;
    PreconditionRequired when it is missing.
    """
    if if_match is None:
        if required:
            raise PreconditionRequired()
    elif if_match != ticket.version:
        raise Stale(version=ticket.version)
