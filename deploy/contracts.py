"""Writes what others rely on, from what runs: the OpenAPI and AsyncAPI documents, a JSON Schema and
an example of each event, and the tables of docs/. `python -m deploy.contracts`.
"""

import json
import warnings
from pathlib import Path
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow.openapi import OpenAPIConverter

from chassis.events import EventSchema
from deploy import (
    contract_asyncapi,
    contract_examples,
    contract_pages,
    personal_data_page,
    topology,
)

OPENAPI = Path("contracts/openapi.yaml")
ASYNCAPI = Path("contracts/asyncapi.yaml")
EVENTS = Path("contracts/events")
EVENTS_PAGE = Path("docs/events.md")
PERMISSIONS_PAGE = Path("docs/permissions.md")
PERSONAL_DATA_PAGE = Path("docs/personal-data.md")
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TIME = {"type": "string", "format": "date-time"}
_ID = {"type": "string", "format": "uuid"}


def main() -> None:
    """Write everything anew, and remove the schemas of events that are no more."""
    written = documents()
    for path in set(EVENTS.glob("*.json")) - set(written):
        path.unlink()
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    from services.gateway import openapi

    openapi.main(str(OPENAPI))


def documents() -> dict[Path, str]:
    """Every generated file but the OpenAPI document, which the gateway writes itself."""
    services = _services()
    from services.gateway import policy

    schemas = {event_type: event_schema(cls) for event_type, cls in event_types().items()}
    files = {EVENTS / f"{event_type}.json": _json(schema) for event_type, schema in schemas.items()}
    files[ASYNCAPI] = _yaml(contract_asyncapi.document(schemas, services))
    files[EVENTS_PAGE] = contract_pages.events(schemas, services)
    files[PERMISSIONS_PAGE] = policy.matrix()
    files[PERSONAL_DATA_PAGE] = personal_data_page.page()
    return files


def event_types() -> dict[str, type[EventSchema]]:
    """The schema of every type that a service declares, by type."""
    _services()
    declared = EventSchema.registry.items()
    return {name: cls for name, cls in sorted(declared) if cls.__module__.startswith("services.")}


def event_schema(cls: type[EventSchema]) -> dict[str, Any]:
    """The JSON Schema of the whole event: envelope, data and an example."""
    meaning = " ".join((cls.__doc__ or "").split())
    # What dataschema names is the schema of the data alone.
    data = {"$id": f"urn:linli:schema:{cls.type}", **data_schema(cls)}
    properties = {
        "specversion": {"const": "1.0"},
        "id": _ID,
        "type": {"const": cls.type},
        "source": {"const": cls.source},
        "subject": {"type": "string", "minLength": 1},
        "time": _TIME,
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"const": data["$id"]},
        "partitionkey": {"type": "string"},
        "sequence": {"type": "string", "pattern": "^[0-9]{10}$"},
        "traceparent": {"type": "string"},
        "data": data,
    }
    return {
        "$schema": DIALECT,
        "$id": f"urn:linli:event:{cls.type}",
        "title": cls.__name__,
        "description": meaning,
        "type": "object",
        "required": list(properties),
        "properties": properties,
        **(cls.deprecated.said() if cls.deprecated else {}),
        "examples": [contract_examples.event(cls.type, cls.source, data)],
    }


def data_schema(cls: type[EventSchema]) -> dict[str, Any]:
    """The JSON Schema of an event's data. Readers ignore what they do not know, so it is open."""
    spec = APISpec("events", "1", "3.1.0")
    # A resolver that names nothing: nested schemas stand where they are used.
    converter: Any = OpenAPIConverter("3.1.0", schema_name_resolver=lambda _: None, spec=spec)
    opened: dict[str, Any] = _open(converter.schema2jsonschema(cls()))
    return opened


def _open(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_open(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _open(part) for name, part in schema.items() if name != "additionalProperties"}


def _services() -> tuple[topology.Service, ...]:
    """What the services declare; importing them fills the registry."""
    with warnings.catch_warnings():
        # eventlet says at import that it is in maintenance mode: no news here.
        warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
        return topology.plan({}).services


def _yaml(document: dict[str, Any]) -> str:
    import yaml

    # What stands in two places is written out in both: no reader wants anchors.
    document = json.loads(json.dumps(document))
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return text


def _json(schema: dict[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    main()
