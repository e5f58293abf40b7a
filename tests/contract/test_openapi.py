"""The OpenAPI document: valid, complete, and written down as it is."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate
from referencing import Registry, Resource

from chassis.http import Http
from services.gateway import openapi, policy, refusals
from services.gateway.ledger import XLSX
from services.gateway.operation import OPERATIONS, PREFIX
from services.gateway.problem_texts import PROBLEMS
from services.gateway.schemas.tickets import Assignment
from services.gateway.service import GatewayService

DOCUMENT = openapi.document()


def test_it_is_valid_openapi_3_1():
    validate(DOCUMENT)

    assert DOCUMENT["openapi"].startswith("3.1")


def test_the_written_one_is_current():
    written = Path("contracts/openapi.yaml").read_text(encoding="utf-8")

    # In C: in Python it takes seconds.
    assert yaml.load(written, Loader=yaml.CSafeLoader) == DOCUMENT, "run: make contracts"


def test_objects_are_limited_in_the_words_for_objects():
    def objects(said):
        below = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
        if isinstance(said, dict) and said.get("type") == "object":
            yield said
        for each in below:
            yield from objects(each)

    assert not [each for each in objects(DOCUMENT) if each.keys() & {"minLength", "maxLength"}]
    attributes = DOCUMENT["components"]["schemas"]["NewTicket"]["properties"]["attributes"]
    assert attributes["maxProperties"] == 50


def test_every_operation_is_in_it_under_its_own_name():
    documented = [
        operation["operationId"]
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
    ]

    assert sorted(documented) == sorted(declared.name for declared in OPERATIONS)
    assert len(set(documented)) == len(documented)


def test_what_is_served_under_the_prefix_is_what_is_documented():
    entrypoints = [
        entrypoint
        for name in dir(GatewayService)
        for entrypoint in getattr(getattr(GatewayService, name), "nameko_entrypoints", ())
        if isinstance(entrypoint, Http)
    ]
    served = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", each.path))
        for each in entrypoints
        for method in each.methods
        if each.path.startswith(PREFIX)
    }

    assert served == {
        (method, path) for path, found in DOCUMENT["paths"].items() for method in found
    }


@pytest.mark.parametrize("declared", OPERATIONS, ids=lambda declared: declared.name)
def test_every_refusal_of_an_operation_has_a_text(declared):
    for status, code in refusals.errors_of(declared):
        assert code in PROBLEMS, f"{status} {code}"


@pytest.mark.parametrize(
    "declared",
    [declared for declared in OPERATIONS if hasattr(declared.body, "example")],
    ids=lambda declared: declared.name,
)
def test_every_example_is_a_good_request(declared):
    declared.body_schema.load(declared.body.example)

    schema = {"$ref": f"#/components/schemas/{declared.body.__name__}", **DOCUMENT}
    Draft202012Validator(schema).validate(declared.body.example)


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ({"department": "water", "assignee": None}, True),
        ({"department": None, "assignee": "01a228d1-d360-746a-9ab9-2cea2490f97a"}, True),
        ({"department": None, "assignee": None}, False),
        ({"note": "请先电话联系"}, False),
    ],
)
def test_the_document_and_the_service_want_somebody_to_assign_to(body, good):
    schema = {"$ref": "#/components/schemas/Assignment", **DOCUMENT}

    assert Draft202012Validator(schema).is_valid(body) == good
    assert (not Assignment().validate(body)) == good


@pytest.mark.parametrize("declared", OPERATIONS, ids=lambda declared: declared.name)
def test_every_operation_says_what_it_does_in_one_sentence(declared):
    assert re.fullmatch(r"[A-Z].{5,120}\.", declared.summary, re.DOTALL)


def test_every_policy_that_is_declared_is_in_the_table():
    declared = {declared.policy for declared in OPERATIONS} - {"public", "signed_in"}

    assert declared <= set(policy.OPERATIONS)


CONTENTS = [
    pytest.param(content, id=f"{operation['operationId']} {which} {media_type}")
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
    for which, part in [("body", operation.get("requestBody", {})), *operation["responses"].items()]
    for media_type, content in part.get("content", {}).items()
    if media_type != XLSX
]
REGISTRY = Registry().with_resource(
    "urn:api",
    Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema", **DOCUMENT}),
)


@pytest.mark.parametrize("content", CONTENTS)
def test_every_body_and_every_answer_has_examples_that_satisfy_its_schema(content):
    schema = json.loads(json.dumps(content["schema"]).replace('"#/', '"urn:api#/'))
    validator = Draft202012Validator(schema, registry=REGISTRY, format_checker=FormatChecker())
    examples = [content["example"]] if "example" in content else []
    for reference in content.get("examples", {}).values():
        code = reference["$ref"].rpartition("/")[2]
        examples.append(DOCUMENT["components"]["examples"][code]["value"])

    assert examples
    for example in examples:
        validator.validate(example)


@pytest.mark.parametrize("declared", OPERATIONS, ids=lambda declared: declared.name)
def test_every_refusal_of_an_operation_is_in_the_document_with_its_problem_type(declared):
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", PREFIX + declared.path)
    responses = DOCUMENT["paths"][path][declared.method.lower()]["responses"]

    for status, code in refusals.errors_of(declared):
        problem = responses[str(status)]["content"]["application/problem+json"]
        assert code in problem["examples"]
        assert DOCUMENT["components"]["examples"][code]["value"]["type"] == f"/problems/{code}"
