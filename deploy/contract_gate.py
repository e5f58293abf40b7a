"""Whether what is served now keeps what was released: whoever reads or calls by the released
contracts must be able to go on.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from chassis import topology
from deploy.compatibility import Gap, Schema, bare, brief, gaps, resolved

Document = Mapping[str, Any]

_READING = {
    "missing": "is gone",
    "optional": "may be left out now",
    "different": "was {wanted}, is {had}",
}
_SENDING = {
    "missing": "is required now",
    "optional": "is required now",
    "unknown": "is refused now",
    "different": "was {had}, is {wanted}",
}


def event_faults(now: Document, released: Document, today: date) -> Iterator[str]:
    """What readers of released events would stumble over. Both: as `events` makes them."""
    for event_type, schema in released.items():
        if event_type in now:
            yield from _reading(bare(now[event_type]), bare(schema), event_type)
        elif not _announced(schema, today):
            yield f"{event_type}: is gone, but was not announced as deprecated until then"


def openapi_faults(now: Document, released: Document, today: date) -> Iterator[str]:
    """What clients of the released API would stumble over. Both: as `api` makes them."""
    served = _operations(now)
    for name, operation in _operations(released).items():
        if name in served:
            yield from _operation(served[name], operation, name)
        elif not _announced(operation, today):
            yield f"{name}: is gone, but was not announced as deprecated until then"


def bus_faults(now: Mapping[str, str], released: Mapping[str, str]) -> Iterator[str]:
    """What subscribers would look for in vain. Both: as `bus` makes them."""
    for what, name in released.items():
        if now.get(what) != name:
            yield f"{what}: was {name}, is {now.get(what)}"


def bus() -> dict[str, str]:
    """The names by which subscribers reach their events, as they are released."""
    (key,) = topology.subscriber_keys("{department}", "ticket")
    return {
        "exchange of events": topology.EVENTS_EXCHANGE,
        "stream of all events": topology.LOG_STREAM,
        "queue of a department": topology.subscriber_queue("{department}"),
        "stream of a department": topology.subscriber_log("{department}"),
        "keys of a department": key,
        "key of an event": topology.routing_key(
            "linli.tickets.ticket_sent_back.v1", "water", "340603.008"
        ),
    }


def events(schemas: Mapping[str, Schema]) -> dict[str, Any]:
    """Events as they are released: by type, with nothing but what values must satisfy."""
    return {name: bare(schema) | _going(schema) for name, schema in schemas.items()}


def api(document: Document) -> dict[str, Any]:
    """The API as it is released: its operations, with what callers rely on, and its schemas."""
    operations = {
        f"{method.upper()} {path}": _kept(said)
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    }
    return {"operations": operations, "schemas": bare(document["components"]["schemas"])}


def _going(said: Document) -> dict[str, Any]:
    return {name: said[name] for name in ("deprecated", "x-sunset") if name in said}


def _kept(operation: Document) -> dict[str, Any]:
    answers = {
        status: {"headers": sorted(answer.get("headers", {})), "content": _contents(answer)}
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    }
    parameters = {
        f"{each['in']} {each['name']}": {
            "required": each.get("required", False),
            "schema": bare(each["schema"]),
        }
        for each in operation["parameters"]
    }
    body = operation.get("requestBody", {})
    return {
        "operationId": operation["operationId"],
        "open_to_all": {} in operation["security"],
        "parameters": parameters,
        "body_required": body.get("required", False),
        "body": _contents(body),
        "answers": answers,
        **_going(operation),
    }


def _contents(said: Document) -> dict[str, Any]:
    return {media: bare(each["schema"]) for media, each in said.get("content", {}).items()}


def _operations(contract: Document) -> dict[str, Any]:
    """Each operation as its callers see it: schemas in place, and those of answers open."""
    named = contract["schemas"]
    return {
        name: {
            **said,
            "parameters": resolved(said["parameters"], named, opened=False),
            "body": resolved(said["body"], named, opened=False),
            "answers": resolved(said["answers"], named, opened=True),
        }
        for name, said in contract["operations"].items()
    }


def _announced(said: Document, today: date) -> bool:
    """Whether the last release said that it would be gone by now."""
    return bool(said.get("deprecated")) and date.fromisoformat(said["x-sunset"]) <= today


def _operation(now: Document, released: Document, name: str) -> Iterator[str]:
    if now["operationId"] != released["operationId"]:
        yield f"{name}: operationId was {released['operationId']}, is {now['operationId']}"
    if released["open_to_all"] and not now["open_to_all"]:
        yield f"{name}: needs a session now"
    yield from _parameters(now["parameters"], released["parameters"], name)
    if now["body_required"] and not released["body_required"]:
        yield f"{name}: a body is required now"
    for media, schema in released["body"].items():
        if media not in now["body"]:
            yield f"{name}: a body of {media} is refused now"
        else:
            yield from _sending(schema, now["body"][media], f"{name}: body")
    yield from _answers(now["answers"], released["answers"], name)


def _parameters(now: Document, released: Document, name: str) -> Iterator[str]:
    for parameter, said in now.items():
        if said["required"] and not released.get(parameter, {}).get("required"):
            yield f"{name}: {parameter} is required now"
    for parameter, said in released.items():
        if parameter not in now:
            yield f"{name}: {parameter} is refused now"
        else:
            yield from _sending(said["schema"], now[parameter]["schema"], f"{name}: {parameter}")


def _answers(now: Document, released: Document, name: str) -> Iterator[str]:
    for status in released.keys() | now.keys():
        if status not in now:
            yield f"{name}: no more answers {status}"
        elif status not in released:
            yield f"{name}: answers {status} now"
        else:
            yield from _answer(now[status], released[status], f"{name}: {status}")


def _answer(now: Document, released: Document, where: str) -> Iterator[str]:
    for header in set(released["headers"]) - set(now["headers"]):
        yield f"{where}: {header} is gone"
    for media, schema in released["content"].items():
        if media not in now["content"]:
            yield f"{where}: {media} is gone"
        else:
            yield from _reading(now["content"][media], schema, f"{where} answer")


def _reading(now: Schema, released: Schema, where: str) -> Iterator[str]:
    """What is answered or told now must satisfy whoever reads by the released schema."""
    return (_told(gap, _READING) for gap in gaps(now, released, where))


def _sending(released: Schema, now: Schema, where: str) -> Iterator[str]:
    """What is sent by the released schema must satisfy the present one."""
    return (_told(gap, _SENDING) for gap in gaps(released, now, where))


def _told(gap: Gap, words: Mapping[str, str]) -> str:
    said = words[gap.what].format(had=brief(gap.had), wanted=brief(gap.wanted))
    return f"{gap.where}: {said}"
