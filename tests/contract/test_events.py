"""The events as others rely on them: schemas, examples and tables are written down as they are."""

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from chassis.events import EventSchema
from deploy import contracts
from deploy.contract_readers import readers

DOCUMENTS = contracts.documents()
TYPES = contracts.event_types()


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_what_is_generated_is_current(path):
    assert path.exists(), "run: make contracts"
    assert path.read_text(encoding="utf-8") == DOCUMENTS[path], "run: make contracts"


def test_no_schema_is_left_of_an_event_that_is_no_more():
    assert set(contracts.EVENTS.glob("*.json")) <= set(DOCUMENTS), "run: make contracts"


@pytest.mark.parametrize("event_type", TYPES)
def test_a_schema_is_valid_and_its_example_satisfies_it(event_type):
    schema = contracts.event_schema(TYPES[event_type])
    Draft202012Validator.check_schema(schema)

    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    assert [error.message for error in validator.iter_errors(schema["examples"][0])] == []


@pytest.mark.parametrize("event_type", TYPES)
def test_an_example_is_what_the_service_itself_would_send(event_type):
    (example,) = contracts.event_schema(TYPES[event_type])["examples"]
    schema: EventSchema = TYPES[event_type]()

    assert schema.dump(schema.load(example["data"])) == example["data"]


@pytest.mark.parametrize("event_type", TYPES)
def test_every_event_says_what_happened_and_stands_in_the_table(event_type):
    schema = TYPES[event_type]

    assert schema.__doc__, "the docstring of an event is its documentation"
    assert f"### `{event_type}`" in Path("docs/events.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "role", "reaches"),
    [
        ("tickets.ticket_commented", "resident", ["own", "public"]),
        ("tickets.ticket_commented", "department_clerk", ["department"]),
        ("tickets.ticket_excluded", "clerk", ["holder", "area"]),
        ("tickets.ticket_excluded", "resident", None),
        ("residents.household_registered", "building_chief", None),
    ],
)
def test_the_page_says_of_each_event_who_may_see_it(name, role, reaches):
    event_type = f"linli.{name}.v1"
    (example,) = contracts.event_schema(TYPES[event_type])["examples"]
    page = Path("docs/events.md").read_text(encoding="utf-8")
    section = page.partition(f"### `{event_type}`")[2].partition("###")[0]

    assert readers(example).get(role) == reaches
    said = re.search(rf"`{role}` \(([^)]+)\)", section)
    assert (said[1].split(", ") if said else None) == reaches
