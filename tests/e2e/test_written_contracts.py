"""What goes over the bus, here and while the other tests ran, is what `contracts/` promises, event
type by event type.
"""

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cloudevents.core.bindings import http as cloudevents_http
from jsonschema import Draft202012Validator, FormatChecker

from chassis.testing import eventually
from tests.e2e import every_event
from tests.e2e.written import JAVASCRIPT
from tests.stack import wire

SCHEMAS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in Path("contracts/events").glob("*.json")
}
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
KINDS = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
FORMATS = {
    "uuid": lambda text: str(UUID(text)) == text,
    "date": lambda text: len(text) == len("2026-11-01"),
    "date-time": lambda text: datetime.fromisoformat(text).tzinfo is not None,
}


@pytest.fixture(scope="module")
def log(community, ready) -> list[wire.Delivered]:
    """Every message of the log, in which there is every type."""
    every_event.play(community)

    def delivered():
        found = wire.read_log(ready["amqp_uri"])
        return found if SCHEMAS.keys() <= {each.event["type"] for each in found} else None

    return eventually(delivered, within=30)


def other_types(schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    """Where a value is of another JSON type or format than its schema says. JSON Schema itself
    would take 1.0 for an integer.
    """
    said = schema.get("type", [type(schema.get("const")).__name__])
    kinds = [said] if isinstance(said, str) else said
    if type(value) not in [KINDS.get(kind, str) for kind in kinds]:
        yield f"{where}: {value!r} is not {kinds}"
    if isinstance(value, str) and not FORMATS.get(schema.get("format"), bool)(value or " "):
        yield f"{where}: {value!r} is no {schema['format']}"
    for name, member in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            yield from other_types(member, value[name], f"{where}.{name}")
    for each in value if isinstance(value, list) else ():
        yield from other_types(schema["items"], each, f"{where}[]")


def test_every_event_satisfies_the_schema_of_its_type(log):
    validators = {
        name: Draft202012Validator(schema, format_checker=FormatChecker())
        for name, schema in SCHEMAS.items()
    }

    faults = {
        (each.event["type"], error.json_path, error.message)
        for each in log
        for error in validators[each.event["type"]].iter_errors(each.event)
    }

    assert faults == set()


def test_types_on_the_wire_are_those_in_the_document(log):
    faults = {
        fault
        for each in log
        for fault in other_types(SCHEMAS[each.event["type"]], each.event, each.event["type"])
    }

    assert faults == set()


def test_an_event_has_no_field_that_is_not_in_the_document(log):
    for each in log:
        said = SCHEMAS[each.event["type"]]["properties"]
        assert each.event.keys() == said.keys()
        assert each.event["data"].keys() <= said["data"]["properties"].keys()


def test_every_event_is_a_cloudevent_to_the_python_sdk(log):
    for each in log:
        message = cloudevents_http.HTTPMessage({"content-type": CONTENT_TYPE}, each.body)
        read = cloudevents_http.from_http_event(message)

        assert (read.get_id(), read.get_type()) == (each.event["id"], each.event["type"])
        assert read.get_time() == datetime.fromisoformat(each.event["time"])
        assert read.get_extension("sequence") == each.event["sequence"]
        assert read.get_data() == each.event["data"]


def test_every_event_is_a_cloudevent_to_the_javascript_sdk(log, node):
    lines = "".join(f"{each.body.decode()}\n" for each in log)
    read = subprocess.run(
        [node, "read.mjs"],
        cwd=JAVASCRIPT,
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )

    assert read.returncode == 0, read.stderr
    for line, each in zip(read.stdout.splitlines(), log, strict=True):
        told = json.loads(line)
        assert told == {name: each.event[name] for name in told}
