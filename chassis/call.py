"""Who asks for what, when: the context that travels with every call over the bus.

The edge makes a `Call` for each request; RPC carries it in one header; entrypoints get it from
`context.CurrentCall`. Only what is named here travels: no other header of a request ever enters the
context.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chassis import clock, trace
from chassis.ids import new_id


@dataclass(frozen=True)
class Actor:
    """Who acts. `kind` is `person`, `department`, `anonymous` or `system`; `attributes` is JSON
    that services agree upon.
    """

    id: str | None = None
    kind: str = "anonymous"
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Grant:
    """What may be done (`may`: operations) to things that are in a relation (`reach`) to the
    actor.
    """

    reach: str
    may: frozenset[str]


@dataclass(frozen=True)
class Call:
    """One command or query on its way. `command_id` makes it repeatable; `occurred_at` is when it
    happened, `traceparent` the span that it is made in, empty outside of any.
    """

    actor: Actor = Actor()
    grants: tuple[Grant, ...] = ()
    command_id: str | None = None
    request_id: str = ""
    traceparent: str = ""
    locale: str = "zh-CN"
    occurred_at: datetime = field(default_factory=clock.now)

    def under(self, traceparent: str) -> "Call":
        """The call as part of the span that `traceparent` names."""
        return self if traceparent == self.traceparent else replace(self, traceparent=traceparent)

    def may(self, holds: Callable[[str], bool]) -> frozenset[str]:
        """The operations allowed on a thing for which `holds(reach)` tells in which reaches it
        lies.
        """
        return frozenset(
            operation for grant in self.grants if holds(grant.reach) for operation in grant.may
        )

    def reaches(self, operation: str) -> tuple[str, ...]:
        """The reaches in which `operation` is allowed: what a list is filtered by."""
        return tuple(grant.reach for grant in self.grants if operation in grant.may)


def system_call(service: str, traceparent: str = "") -> Call:
    """A call that a service makes of its own accord, in nobody's name; a part of the span it is in,
    unless told otherwise.
    """
    return Call(
        actor=Actor(id=service, kind="system"),
        request_id=str(new_id()),
        traceparent=traceparent or trace.here(),
    )


def named(call: Call) -> Call:
    """The call with a command id, a new one if it has none and so cannot be repeated."""
    return call if call.command_id is not None else replace(call, command_id=str(new_id()))


def encode(call: Call) -> str:
    """The call as the JSON text of one message header."""
    return json.dumps(
        {
            "actor": [call.actor.id, call.actor.kind, dict(call.actor.attributes)],
            "grants": [[grant.reach, sorted(grant.may)] for grant in call.grants],
            "command_id": call.command_id,
            "request_id": call.request_id,
            "traceparent": call.traceparent,
            "locale": call.locale,
            "occurred_at": clock.iso(call.occurred_at),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def decode(text: str) -> Call:
    """The call that `encode` wrote; raises ValueError when it is anything else."""
    try:
        wire = json.loads(text)
        actor_id, kind, attributes = wire["actor"]
        return Call(
            actor=Actor(actor_id, kind, attributes),
            grants=tuple(Grant(reach, frozenset(may)) for reach, may in wire["grants"]),
            command_id=wire["command_id"],
            request_id=wire["request_id"],
            traceparent=wire["traceparent"],
            locale=wire["locale"],
            occurred_at=clock.parse(wire["occurred_at"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a call: {error!r}") from error
