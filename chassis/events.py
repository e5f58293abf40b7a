"""Events: facts in the shape of CloudEvents 1.0 (JSON, structured mode), declared as marshmallow
schemas and emitted through the outbox.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, with the extensions `sequence`,
`partitionkey` and `traceparent` (distributed tracing).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from marshmallow import Schema
from sqlalchemy.orm import Session

from chassis import clock, outbox, topology, trace
from chassis.call import Call
from chassis.deprecation import Deprecation
from chassis.errors import Permanent
from chassis.ids import new_id
from chassis.schemas import instance

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
MEDIA_TYPE = "application/cloudevents+json"
# Larger than any event of ours; whoever sends more means harm.
MAX_BODY = outbox.LARGEST


class EventSchema(Schema):
    """The data of one type of event. A subclass declares `type` and `source`, and `deprecated` when
    it will go away; its docstring says what happened.
    """

    registry: ClassVar[dict[str, type["EventSchema"]]] = {}
    type: ClassVar[str]
    source: ClassVar[str]
    deprecated: ClassVar[Deprecation | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared = cls.__dict__.get("type")
        if declared is None:
            return
        if not topology.EVENT_TYPE.fullmatch(declared):
            raise TypeError(f"{declared!r} is not linli.<service>.<noun>_<event>.v<version>")
        EventSchema.registry[declared] = cls


@dataclass(frozen=True)
class Route:
    """Where an event goes: its addressee, its place (dotted), and `also` others it concerns."""

    addressee: str = "none"
    place: str = "none"
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class CloudEvent:
    """An event as a consumer sees it. `sequence` counts the events of one `subject`; `body` is its
    text on the bus.
    """

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    sequence: int
    data: Mapping[str, Any]
    partitionkey: str = ""
    traceparent: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    body: str = field(default="", repr=False)


def emit(
    session: Session,
    call: Call,
    schema: type[EventSchema],
    *,
    subject: str,
    sequence: int,
    route: Route,
    data: Mapping[str, Any],
) -> str:
    """Store the event in the session's outbox and return its id; nothing leaves before the
    transaction commits.

    `data` holds the schema's fields as Python values. Raises marshmallow.ValidationError when it
    breaks the schema, which is a mistake of ours.
    """
    event_id, traceparent = str(new_id()), trace.continued(call.traceparent)
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "type": schema.type,
        "source": schema.source,
        "subject": subject,
        "time": clock.iso(call.occurred_at),
        "datacontenttype": "application/json",
        "dataschema": f"urn:linli:schema:{schema.type}",
        "partitionkey": subject,
        "sequence": f"{sequence:010d}",
        "traceparent": traceparent,
        "data": _checked(schema, data),
    }
    outbox.add(
        session,
        event_id=event_id,
        routing_key=topology.routing_key(schema.type, route.addressee, route.place),
        cc=topology.carbon_copies(schema.type, route.also, route.place),
        body=json.dumps(envelope, ensure_ascii=False, separators=(",", ":")),
        traceparent=traceparent,
    )
    return event_id


def _checked(schema: type[EventSchema], data: Mapping[str, Any]) -> Any:
    """What goes on the wire satisfies the declared schema, or nothing goes."""
    checking = instance(schema)
    wire = checking.dump(data)
    checking.load(wire)
    return wire


def parse(body: bytes | str) -> CloudEvent:
    """Read a structured-mode CloudEvent; raises Permanent, saying what is wrong, when it is
    none.
    """
    try:
        wire = json.loads(body)
        _require_text(wire, "specversion", "id", "type", "source", "subject", "time", "sequence")
        return CloudEvent(
            id=wire["id"],
            type=wire["type"],
            source=wire["source"],
            subject=wire["subject"],
            time=clock.parse(wire["time"]),
            sequence=int(wire["sequence"]),
            data=_object(wire.get("data")),
            partitionkey=wire.get("partitionkey", ""),
            traceparent=wire.get("traceparent", ""),
            attributes={name: value for name, value in wire.items() if name != "data"},
            body=body if isinstance(body, str) else body.decode(),
        )
    except (ValueError, RecursionError) as error:
        raise Permanent(f"not a CloudEvent: {error}", reason="undecodable") from error


def _require_text(wire: Any, *names: str) -> None:
    if not isinstance(wire, dict):
        raise ValueError("the body is no JSON object")  # noqa: TRY004 - it is the text that is wrong
    for name in names:
        if not isinstance(wire.get(name), str) or not wire[name]:
            raise ValueError(f"{name} is missing")
    if wire["specversion"] != "1.0":
        raise ValueError("specversion is not 1.0")


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError("data is no JSON object")  # noqa: TRY004 - as above
    return data
