"""What went over the bus while the other tests ran is what `contracts/` promises."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker

from chassis.testing import eventually
from tests.stack import wire

SCHEMAS = {
    path.stem: Draft202012Validator(
        json.loads(path.read_text(encoding="utf-8")), format_checker=FormatChecker()
    )
    for path in Path("contracts/events").glob("*.json")
}


def test_every_event_of_the_log_satisfies_its_schema(community, ready):
    ticket = community.resident().file()

    def log():
        return [each.event for each in wire.read_log(ready["amqp_uri"])]

    eventually(lambda: any(event["subject"] == ticket["id"] for event in log()), within=20)
    faults = {
        (event["type"], error.json_path, error.message)
        for event in log()
        for error in SCHEMAS[event["type"]].iter_errors(event)
    }
    assert faults == set()
