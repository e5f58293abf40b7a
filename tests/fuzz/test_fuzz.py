"""Schemathesis over the whole API, as each role: every answer is one that the OpenAPI document
promises, what is well-formed is not refused and what is malformed is, and no operation is left
without a success.
"""

import pytest

import services.gateway.service  # noqa: F401 - declares the operations
from services.gateway import openapi
from tests.fuzz.running import Run, run
from tests.fuzz.world import ROLES

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_a_promised_one(runs, role, answered):
    ran: Run = runs[role].result()

    answered.update(ran.answers)
    assert ran.status == 0, ran.said


def test_no_operation_is_left_without_a_success(answered):
    """Last: what all roles together were answered."""
    succeeded = {operation for operation, status in answered if 200 <= status < 300}
    every = {
        operation["operationId"]
        for methods in openapi.document()["paths"].values()
        for operation in methods.values()
    }

    assert every - succeeded == set()


@pytest.mark.slice
def test_examples_and_boundaries_are_answered_as_promised(known, seed, tmp_path, answered):
    briefly = ("--phases", "examples,coverage")

    ran = run(known, "secretary", seed, tmp_path, *briefly)

    answered.update(ran.answers)
    assert ran.status == 0, ran.said
