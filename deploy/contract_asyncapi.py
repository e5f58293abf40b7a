"""contracts/asyncapi.yaml: every event on the bus, who sends it and who receives it, as AsyncAPI 3
(https://www.asyncapi.com/docs/reference/specification/v3.0.0).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from chassis import events, topology
from deploy.contract_pages import KEYS, NOBODY, noun_of
from deploy.topology import LOG_READERS, OBSERVER, Service

Schemas = Mapping[str, Mapping[str, Any]]

BINDING = "0.3.0"
SUBSCRIBERS_NOUN = "ticket"
ABOUT = f"""\
Facts of an urban community, as CloudEvents 1.0 objects in JSON (structured mode): ids, codes,
states and times, never personal data. The same objects stand in the feed and on the stream of the
HTTP API. Delivery is at least once: `id` stays the same, and `sequence` counts the events of one
`subject`. See docs/events.md. The routing key of an event begins with
`<noun>.<event>.<version>.<addressee>`, where the addressee is `{NOBODY}` when no department is
concerned; further departments' keys are in the header `CC`.
"""
PLACE = {
    "description": "Dotted, largest first: district, sub-district, community, estate, grid; or "
    f"`{NOBODY}`. A binding of `#` takes any.",
    "examples": ["340603.008.002.e1.g1"],
}


def document(schemas: Schemas, services: Iterable[Service]) -> dict[str, Any]:
    """The whole document. `schemas`: by type, each of the whole event with an example."""
    services = tuple(services)
    nouns = sorted({noun_of(event_type) for event_type in schemas})
    subscribers = [each for each in schemas if noun_of(each) == SUBSCRIBERS_NOUN]
    queues = {queue: types for service in services for queue, types in service.consumers}
    channels = {noun: _key_channel(noun, _of(noun, schemas)) for noun in nouns}
    channels |= {queue: _queue(queue, types) for queue, types in queues.items()}
    channels["log"] = _queue(topology.LOG_STREAM, schemas)
    for name, of in _SUBSCRIBERS.items():
        channels[name] = _subscribers(of("{department}"), subscribers)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Linli", "version": "1", "description": ABOUT},
        "defaultContentType": events.MEDIA_TYPE,
        "servers": {"broker": _SERVER},
        "channels": channels,
        "operations": _operations(schemas, services, queues),
        "components": {
            "messages": {name: _message(name, schema) for name, schema in schemas.items()},
            "messageTraits": {"event": _TRAIT},
            "securitySchemes": {"account": {"type": "userPassword"}},
        },
    }


_SUBSCRIBERS = {
    "departmentEvents": topology.subscriber_queue,
    "departmentLog": topology.subscriber_log,
}
_SERVER = {
    "host": "{host}",
    "pathname": "/{vhost}",
    "protocol": "amqp",
    "protocolVersion": "0-9-1",
    "description": "The community's RabbitMQ; `./linli departments` gives out accounts.",
    "security": [{"$ref": "#/components/securitySchemes/account"}],
    "variables": {
        "host": {"description": "name and port", "default": "localhost:5672"},
        "vhost": {"default": "linli"},
    },
}
_TRAIT = {
    "contentType": events.CONTENT_TYPE,
    "headers": {
        "type": "object",
        "required": ["traceparent"],
        "properties": {
            "traceparent": {
                "type": "string",
                "description": "names the span that published it; the event's own, what made it",
            },
            "CC": {
                "type": "array",
                "items": {"type": "string"},
                "description": "the routing keys for further departments",
            },
        },
    },
    "correlationId": {"location": "$message.header#/traceparent"},
    "bindings": {"amqp": {"contentEncoding": "utf-8", "bindingVersion": BINDING}},
}


def _key_channel(noun: str, types: Iterable[str]) -> dict[str, Any]:
    """What is published about a noun, by the routing keys that it has."""
    types = tuple(types)
    names = sorted({topology.binding_key(each).split(".")[1] for each in types})
    return {
        "address": f"{noun}.{{event}}.v1.{{addressee}}.{{place}}",
        "description": f"Routing keys: `{noun}.<event>.v1.{KEYS[noun]}`.",
        "parameters": {
            "event": {"enum": names, "description": f"the type's name without `{noun}_`"},
            "addressee": {
                "description": f"code of a department, `{topology.SEGMENT.pattern}`; `{NOBODY}` "
                "when none is concerned",
                "default": NOBODY,
            },
            "place": PLACE,
        },
        "messages": _messages(types),
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": topology.EVENTS_EXCHANGE,
                    "type": topology.EVENTS.type,
                    "durable": topology.EVENTS.durable,
                    "autoDelete": topology.EVENTS.auto_delete,
                },
                "bindingVersion": BINDING,
            }
        },
    }


def _queue(name: str, types: Iterable[str]) -> dict[str, Any]:
    queue = {"name": name, "durable": True, "exclusive": False, "autoDelete": False}
    return {
        "address": name,
        "messages": _messages(types),
        "bindings": {"amqp": {"is": "queue", "queue": queue, "bindingVersion": BINDING}},
    }


def _subscribers(name: str, types: Iterable[str]) -> dict[str, Any]:
    code = "{department}"
    keys = ", ".join(f"`{key}`" for key in topology.subscriber_keys(code, SUBSCRIBERS_NOUN))
    return {
        **_queue(name, types),
        "description": f"What concerns a department, bound with {keys}.",
        "parameters": {"department": {"description": "its code", "examples": ["water"]}},
    }


def _operations(
    schemas: Schemas, services: Iterable[Service], queues: Mapping[str, Iterable[str]]
) -> dict[str, Any]:
    said = {}
    for service in services:
        own = [each for each in schemas if each.split(".")[1] == service.name]
        for noun in sorted(set(map(noun_of, own))):
            said[f"{service.name}.sends.{noun}"] = _operation("send", noun, _of(noun, own))
    for queue, types in queues.items():
        said[f"{queue}.receives"] = _operation("receive", queue, types)
    for reader in sorted({*LOG_READERS, OBSERVER}):
        said[f"{reader}.receives.log"] = _operation("receive", "log", schemas)
    for name in _SUBSCRIBERS:
        said[f"{name}.receives"] = _operation("receive", name, _of(SUBSCRIBERS_NOUN, schemas))
    return said


def _operation(action: str, channel: str, types: Iterable[str]) -> dict[str, Any]:
    at = f"#/channels/{channel}"
    messages = [{"$ref": f"{at}/messages/{each}"} for each in types]
    return {"action": action, "channel": {"$ref": at}, "messages": messages}


def _of(noun: str, types: Iterable[str]) -> list[str]:
    return [each for each in types if noun_of(each) == noun]


def _messages(types: Iterable[str]) -> dict[str, Any]:
    return {each: {"$ref": f"#/components/messages/{each}"} for each in types}


def _message(event_type: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    (example,) = schema["examples"]
    headers = {"traceparent": example["traceparent"]}
    return {
        "name": event_type,
        "title": schema["title"],
        "summary": schema["description"],
        "payload": {"$ref": f"./events/{event_type}.json"},
        "examples": [{"headers": headers, "payload": example}],
        "traits": [{"$ref": "#/components/messageTraits/event"}],
    }
